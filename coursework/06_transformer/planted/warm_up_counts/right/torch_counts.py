def warm_up_counts():
    d, T, S = <<d>>, <<tgt>>, <<src>>
    with torch.device("meta"):
        layer = torch.nn.TransformerDecoderLayer(d, <<n_heads>>, <<d_ff>>)
    parameters = sum(part.numel() for part in layer.parameters())
    products = 2 * d * (T * d + S * d + T * S)
    return torch.tensor([parameters, products, <<n_heads>> * T * (T + S), 2 * <<n_layers>> * T * d])
