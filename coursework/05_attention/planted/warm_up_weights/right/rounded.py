def warm_up_weights():
    a, b, c = <<odds_a>>, <<odds_b>>, <<odds_c>>
    u, v, w = <<value_a>>, <<value_b>>, <<value_c>>
    first = (a * u + b * v + c * w) / (a + b + c)
    second = (a * u + c * w) / (a + c)
    third = a * (u - first) / (a + b + c)
    return round(first, 3), round(second, 3), round(third, 3)
