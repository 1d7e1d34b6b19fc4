# says: You divided the scores by their sum. A softmax divides their exponentials, and the
# exponential of a logarithm is the number itself.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = np.log(odds) / np.log(odds).sum()
    one = weights @ values
    seen = np.log(odds) * [1, 0, 1]
    two = seen @ values / seen.sum()
    return [one, two, weights[0] * (values[0] - one)]
