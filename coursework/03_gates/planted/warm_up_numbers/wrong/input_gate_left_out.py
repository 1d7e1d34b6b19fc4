# says: You wrote the whole candidate. The input gate lets only a share of it in.
def warm_up_numbers() -> list[float]:
    f_1, f_2, f_3 = (odds / (1 + odds) for odds in (<<odds_1>>, <<odds_2>>, <<odds_3>>))
    one = f_3 * f_2 * f_1 * <<start>>
    two = one + f_3 * (<<candidate>>)
    state, z, towards, n = <<state>>, <<replaced>>, <<towards>>, <<steps>>
    three = towards + (1 - z) ** n * (state - towards)
    return [one, two, three]
