# says: Your context is no average: the exponentials were not divided by their sum.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = odds / odds.sum()
    one = odds @ values
    seen = odds * [1, 0, 1]
    two = seen @ values / seen.sum()
    return [one, two, weights[0] * (values[0] - weights @ values)]
