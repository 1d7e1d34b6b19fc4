# says: The exponent has the number of the pair, k, where 2k belongs: the speeds fall off too
# slowly.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, start + length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(d_model // 2, dtype=torch.float64) / d_model)
    encoding = torch.zeros(length, d_model, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(places * rates)
    encoding[:, 1::2] = torch.cos(places * rates)
    return encoding
