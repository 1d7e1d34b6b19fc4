# says: The multiply-adds are those of self-attention: keys and values of cross-attention come
# from the source, which has another length.
def warm_up_counts():
    L, d, h, f, T, S = <<n_layers>>, <<d>>, <<n_heads>>, <<d_ff>>, <<tgt>>, <<src>>
    attention = 4 * d * d + 4 * d
    parameters = 2 * attention + 2 * d * f + f + d + 6 * d
    products = 4 * T * d * d + 2 * T * T * d
    return [parameters, products, h * (T * T + T * S), 2 * L * T * d]
