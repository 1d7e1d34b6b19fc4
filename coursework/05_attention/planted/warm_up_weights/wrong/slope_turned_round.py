# says: Your derivative has the wrong sign: a score that rises moves the context towards the value
# of its place.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = odds / odds.sum()
    one = weights @ values
    seen = odds * [1, 0, 1]
    two = seen @ values / seen.sum()
    return [one, two, weights[0] * (one - values[0])]
