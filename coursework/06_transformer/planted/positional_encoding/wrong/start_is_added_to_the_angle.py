# says: The start is added to the angle, not to the position: every pair would move on by the same
# angle, whatever its speed.
def positional_encoding(start, length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    encoding = torch.zeros(length, d_model, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(places * rates + start)
    encoding[:, 1::2] = torch.cos(places * rates + start)
    return encoding
