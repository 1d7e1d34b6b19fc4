# says: You made the gates with tanh. A gate is a sigmoid: a share between 0 and 1.
def warm_up_numbers() -> list[float]:
    f_1, f_2, f_3 = (math.tanh(math.log(odds)) for odds in (<<odds_1>>, <<odds_2>>, <<odds_3>>))
    one = f_3 * f_2 * f_1 * <<start>>
    two = one + f_3 * <<gate>> * (<<candidate>>)
    state, z, towards, n = <<state>>, <<replaced>>, <<towards>>, <<steps>>
    three = towards + (1 - z) ** n * (state - towards)
    return [one, two, three]
