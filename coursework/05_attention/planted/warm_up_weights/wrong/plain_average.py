# says: You averaged the values evenly. The scores differ, and so do the weights.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = odds / odds.sum()
    one = values.mean()
    seen = odds * [1, 0, 1]
    two = (values[0] + values[2]) / 2
    return [one, two, weights[0] * (values[0] - one)]
