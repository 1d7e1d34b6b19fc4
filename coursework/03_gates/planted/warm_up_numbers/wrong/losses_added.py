# says: You added up what the three steps lose. Each step loses a share of what the steps before
# have left.
def warm_up_numbers() -> list[float]:
    f_1, f_2, f_3 = (odds / (1 + odds) for odds in (<<odds_1>>, <<odds_2>>, <<odds_3>>))
    one = (f_1 + f_2 + f_3 - 2) * <<start>>
    two = f_3 * f_2 * f_1 * <<start>> + f_3 * <<gate>> * (<<candidate>>)
    state, z, towards, n = <<state>>, <<replaced>>, <<towards>>, <<steps>>
    three = towards + (1 - z) ** n * (state - towards)
    return [one, two, three]
