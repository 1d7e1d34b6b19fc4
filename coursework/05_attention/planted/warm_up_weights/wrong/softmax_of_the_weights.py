# says: You took a softmax of what is a softmax already: the exponentials of the logarithms are the
# numbers themselves, and these are only divided by their sum.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = np.exp(odds / odds.sum()) / np.exp(odds / odds.sum()).sum()
    one = weights @ values
    seen = odds * [1, 0, 1]
    two = seen @ values / seen.sum()
    return [one, two, weights[0] * (values[0] - one)]
