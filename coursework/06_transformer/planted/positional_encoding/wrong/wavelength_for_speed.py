# says: 10000 to the power 2k/d_model is taken for the length of a wave. The angle is the position
# times the speed, without a factor 2 pi.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, start + length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    encoding = torch.zeros(length, d_model, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(2 * math.pi * places * rates)
    encoding[:, 1::2] = torch.cos(2 * math.pi * places * rates)
    return encoding
