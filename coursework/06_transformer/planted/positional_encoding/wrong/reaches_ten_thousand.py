# says: The exponents are spread so that the last pair has the speed 1/10000: the formula divides
# by d_model, so the last pair does not quite reach it.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, start + length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / max(d_model - 2, 1))
    encoding = torch.zeros(length, d_model, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(places * rates)
    encoding[:, 1::2] = torch.cos(places * rates)
    return encoding
