# says: You cut the weight of the hidden place off behind the softmax. The two others must share
# all the weight.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = odds / odds.sum()
    one = weights @ values
    seen = odds * [1, 0, 1]
    two = weights[[0, 2]] @ values[[0, 2]]
    return [one, two, weights[0] * (values[0] - one)]
