# says: Your derivative is the whole way from the context to the value. A place moves the context
# in proportion to the weight that it has.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = odds / odds.sum()
    one = weights @ values
    seen = odds * [1, 0, 1]
    two = seen @ values / seen.sum()
    return [one, two, values[0] - one]
