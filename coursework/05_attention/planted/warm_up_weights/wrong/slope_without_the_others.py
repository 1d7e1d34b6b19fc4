# says: You multiplied the derivative of the first weight by its value and left the others out:
# their weights fall, and the context feels that too.
def warm_up_weights() -> list[float]:
    odds = np.array([<<odds_a>>, <<odds_b>>, <<odds_c>>])
    values = np.array([<<value_a>>, <<value_b>>, <<value_c>>])
    weights = odds / odds.sum()
    one = weights @ values
    seen = odds * [1, 0, 1]
    two = seen @ values / seen.sum()
    return [one, two, weights[0] * (1 - weights[0]) * values[0]]
