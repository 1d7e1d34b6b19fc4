# says: Your GRU adds shares of the candidate and keeps the whole old state. What is let in takes
# the place of as much of the old.
def warm_up_numbers() -> list[float]:
    f_1, f_2, f_3 = (odds / (1 + odds) for odds in (<<odds_1>>, <<odds_2>>, <<odds_3>>))
    one = f_3 * f_2 * f_1 * <<start>>
    two = one + f_3 * <<gate>> * (<<candidate>>)
    state, z, towards, n = <<state>>, <<replaced>>, <<towards>>, <<steps>>
    three = state + n * z * towards
    return [one, two, three]
