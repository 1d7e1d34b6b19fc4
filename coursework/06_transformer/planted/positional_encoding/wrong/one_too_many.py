# says: There is a row too many: the last position is start + length - 1.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, start + length + 1, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    encoding = torch.zeros(length + 1, d_model, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(places * rates)
    encoding[:, 1::2] = torch.cos(places * rates)
    return encoding
