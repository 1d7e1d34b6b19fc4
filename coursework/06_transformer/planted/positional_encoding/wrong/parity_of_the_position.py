# says: Even positions have sines only and odd ones cosines only. It is the component that is even
# or odd: every position has both.
def positional_encoding(start, length, d_model):
    places = torch.arange(start, start + length, dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    angles = (places * rates).repeat_interleave(2, dim=1)
    return torch.where(places % 2 == 0, angles.sin(), angles.cos())
