# says: Your GRU makes one step too few.
def warm_up_numbers() -> list[float]:
    f_1, f_2, f_3 = (odds / (1 + odds) for odds in (<<odds_1>>, <<odds_2>>, <<odds_3>>))
    one = f_3 * f_2 * f_1 * <<start>>
    two = one + f_3 * <<gate>> * (<<candidate>>)
    state, z, towards, n = <<state>>, <<replaced>>, <<towards>>, <<steps>>
    three = towards + (1 - z) ** (n - 1) * (state - towards)
    return [one, two, three]
