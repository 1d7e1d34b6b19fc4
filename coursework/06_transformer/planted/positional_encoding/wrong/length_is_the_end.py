# says: The length is taken for the position at which to end: it is a number of rows.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    encoding = torch.zeros(len(places), d_model, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(places * rates)
    encoding[:, 1::2] = torch.cos(places * rates)
    return encoding
