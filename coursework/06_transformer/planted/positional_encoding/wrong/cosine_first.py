# says: Sines and cosines are exchanged: the sine stands in the even component, counted from 0.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, start + length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    encoding = torch.zeros(length, d_model, dtype=torch.float64)
    encoding[:, 0::2] = torch.cos(places * rates)
    encoding[:, 1::2] = torch.sin(places * rates)
    return encoding
