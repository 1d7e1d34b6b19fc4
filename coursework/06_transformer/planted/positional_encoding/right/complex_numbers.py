def positional_encoding(start, length, d_model):
    speeds = np.exp(-math.log(10000) * np.arange(0, d_model, 2) / d_model)
    points = np.exp(1j * np.outer(np.arange(start, start + length), speeds))
    pairs = np.stack([points.imag, points.real], axis=2)
    return torch.from_numpy(pairs.reshape(length, d_model))
