def decoder_layer(y, memory, seen, w):
    def norm(x, side):
        x = x - x.mean()
        return w[side + "_gain"] * x / (x.var(correction=0) + 1e-5) ** 0.5 + w[side + "_bias"]

    def attend(side, asks, asked):
        q = asks @ w[side + "_q"]
        scores = torch.stack([(q * (z @ w[side + "_k"])).sum() for z in asked])
        weights = torch.softmax(scores / len(q) ** 0.5, dim=0)
        mixed = sum(a * (z @ w[side + "_v"]) for a, z in zip(weights, asked))
        return mixed @ w[side + "_o"]

    sentences = []
    for stream, source, real in zip(y, memory, seen):
        normed, outputs = [norm(x, "self") for x in stream], []
        for t, x in enumerate(stream):
            x = x + attend("self", normed[t], normed[: t + 1])
            x = x + attend("cross", norm(x, "cross"), [z for z, ok in zip(source, real) if ok])
            hidden = (norm(x, "net") @ w["W_1"] + w["b_1"]).clamp(min=0)
            outputs.append(x + hidden @ w["W_2"] + w["b_2"])
        sentences.append(torch.stack(outputs))
    return torch.stack(sentences)
