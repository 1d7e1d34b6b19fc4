# says: Sine and cosine of a pair turn at different speeds: the exponent follows the component,
# and a pair has one speed.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, start + length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    encoding = torch.zeros(length, d_model, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(places * rates)
    rates = 10_000.0 ** (-torch.arange(1, d_model, 2, dtype=torch.float64) / d_model)
    encoding[:, 1::2] = torch.cos(places * rates)
    return encoding
