def decoder_layer(y, memory, seen, w):
    w = {name: part.double() for name, part in w.items()}
    y, memory = y.double(), memory.double()
    size = y.shape[1]

    def norm(x, side):
        mean = x.mean(-1, keepdim=True)
        variance = (x * x).mean(-1, keepdim=True) - mean * mean
        return w[f"{side}_gain"] * (x - mean) * torch.rsqrt(variance + 1e-5) + w[f"{side}_bias"]

    def attend(side, asks, asked, bias):
        keys, values = asked @ w[f"{side}_k"], asked @ w[f"{side}_v"]
        scores = torch.einsum("btk,bsk->bts", asks @ w[f"{side}_q"], keys)
        weights = (scores / math.sqrt(keys.shape[-1]) + bias).softmax(dim=-1)
        return torch.einsum("bts,bsv->btv", weights, values) @ w[f"{side}_o"]

    future = torch.full((size, size), -torch.inf, dtype=torch.float64).triu(1)
    padding = torch.zeros(seen.shape, dtype=torch.float64).masked_fill(~seen, -torch.inf)
    inputs = norm(y, "self")
    stream = y + attend("self", inputs, inputs, future)
    stream = stream + attend("cross", norm(stream, "cross"), memory, padding[:, None])
    hidden = norm(stream, "net") @ w["W_1"] + w["b_1"]
    return stream + torch.where(hidden > 0, hidden, 0.0) @ w["W_2"] + w["b_2"]
