def positional_encoding(start, length, d_model):
    """A cosine is a sine that is a quarter of a round ahead."""
    component = torch.arange(d_model)
    rates = torch.pow(10000.0, -(component // 2 * 2).double() / d_model)
    angles = torch.outer(start + torch.arange(length).double(), rates)
    return torch.sin(angles + component % 2 * math.pi / 2)
