# says: The cache is counted as if each head kept vectors of full width: together the heads have
# the width of the model.
def warm_up_counts():
    L, d, h, f, T, S = <<n_layers>>, <<d>>, <<n_heads>>, <<d_ff>>, <<tgt>>, <<src>>
    attention = 4 * d * d + 4 * d
    parameters = 2 * attention + 2 * d * f + f + d + 6 * d
    products = 2 * T * d * d + 2 * S * d * d + 2 * T * S * d
    return [parameters, products, h * (T * T + T * S), 2 * L * T * d * h]
