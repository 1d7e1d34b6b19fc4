# says: All sines stand in the first half and all cosines in the second: here they take turns.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, start + length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    encoding = torch.zeros(length, d_model, dtype=torch.float64)
    encoding[:, : d_model // 2] = torch.sin(places * rates)
    encoding[:, d_model // 2 :] = torch.cos(places * rates)
    return encoding
