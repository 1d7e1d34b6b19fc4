def warm_up_weights():
    def context(nudge, *places):
        odds = [<<odds_a>> * math.exp(nudge), <<odds_b>>, <<odds_c>>]
        values = [<<value_a>>, <<value_b>>, <<value_c>>]
        return sum(odds[i] * values[i] for i in places) / sum(odds[i] for i in places)

    slope = (context(1e-5, 0, 1, 2) - context(-1e-5, 0, 1, 2)) / 2e-5
    return np.array([context(0, 0, 1, 2), context(0, 0, 2), slope])
