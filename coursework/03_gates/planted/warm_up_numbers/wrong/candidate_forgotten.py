# says: Your GRU only fades. At each step the share that is lost is replaced by as much of the
# candidate.
def warm_up_numbers() -> list[float]:
    f_1, f_2, f_3 = (odds / (1 + odds) for odds in (<<odds_1>>, <<odds_2>>, <<odds_3>>))
    one = f_3 * f_2 * f_1 * <<start>>
    two = one + f_3 * <<gate>> * (<<candidate>>)
    state, z, towards, n = <<state>>, <<replaced>>, <<towards>>, <<steps>>
    three = (1 - z) ** n * state
    return [one, two, three]
