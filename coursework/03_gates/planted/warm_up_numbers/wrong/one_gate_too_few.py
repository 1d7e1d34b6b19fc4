# says: You let the content through two forget gates. Three steps go from the first cell to the
# last, and each has a gate.
def warm_up_numbers() -> list[float]:
    f_1, f_2, f_3 = (odds / (1 + odds) for odds in (<<odds_1>>, <<odds_2>>, <<odds_3>>))
    one = f_2 * f_1 * <<start>>
    two = f_3 * (f_2 * f_1 * <<start>> + <<gate>> * (<<candidate>>))
    state, z, towards, n = <<state>>, <<replaced>>, <<towards>>, <<steps>>
    three = towards + (1 - z) ** n * (state - towards)
    return [one, two, three]
