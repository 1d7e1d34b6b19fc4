def decoder_layer(y, memory, seen, w):
    w = {name: part.numpy() for name, part in w.items()}
    stream, memory, seen = y.numpy(), memory.numpy(), seen.numpy()

    def norm(x, side):
        unit = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return w[side + "_gain"] * unit + w[side + "_bias"]

    def attend(side, asks, asked, visible):
        q, k, v = asks @ w[side + "_q"], asked @ w[side + "_k"], asked @ w[side + "_v"]
        scores = q @ k.swapaxes(1, 2) / np.sqrt(k.shape[-1])
        scores = np.where(visible, scores, -1e9)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return weights / weights.sum(-1, keepdims=True) @ v @ w[side + "_o"]

    inputs = norm(stream, "self")
    stream = stream + attend("self", inputs, inputs, np.tri(y.shape[1], dtype=bool))
    stream = stream + attend("cross", norm(stream, "cross"), memory, seen[:, None, :])
    hidden = np.maximum(norm(stream, "net") @ w["W_1"] + w["b_1"], 0)
    return torch.from_numpy(stream + hidden @ w["W_2"] + w["b_2"])
