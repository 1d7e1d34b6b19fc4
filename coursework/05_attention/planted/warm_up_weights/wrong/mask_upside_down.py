# says: You kept the hidden place and hid the two others.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = odds / odds.sum()
    one = weights @ values
    seen = odds * [1, 0, 1]
    two = values[1]
    return [one, two, weights[0] * (values[0] - one)]
