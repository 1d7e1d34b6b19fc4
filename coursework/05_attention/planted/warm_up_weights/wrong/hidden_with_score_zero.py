# says: You gave the hidden place the score 0. That is a score like any other, with the exponential
# 1; hidden means taken out of the sum.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = odds / odds.sum()
    one = weights @ values
    seen = odds * [1, 0, 1]
    two = (seen @ values + values[1]) / (seen.sum() + 1)
    return [one, two, weights[0] * (values[0] - one)]
