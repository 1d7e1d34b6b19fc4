# says: There is a max(0, ·) behind both products of the network: what it adds to the stream must
# be able to be negative.
def decoder_layer(y: Tensor, memory: Tensor, seen: Tensor, w: dict[str, Tensor]) -> Tensor:
    def norm(x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(dim=-1, keepdim=True)
        variance = centred.square().mean(dim=-1, keepdim=True)
        unit = centred / torch.sqrt(variance + 1e-5)
        return w[f"{name}_gain"] * unit + w[f"{name}_bias"]

    def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        scores = queries @ keys.mT / math.sqrt(queries.shape[-1])
        weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1)
        return weights @ values

    size = y.shape[1]
    causal = torch.ones(size, size, dtype=torch.bool).tril()
    inputs = norm(y, "self")
    queries, keys, values = (inputs @ w[f"self_{part}"] for part in "qkv")
    stream = y + attend(queries, keys, values, causal) @ w["self_o"]

    inputs = norm(stream, "cross")
    queries = inputs @ w["cross_q"]
    keys, values = memory @ w["cross_k"], memory @ w["cross_v"]
    stream = stream + attend(queries, keys, values, seen[:, None]) @ w["cross_o"]

    inputs = norm(stream, "net")
    hidden = torch.relu(inputs @ w["W_1"] + w["b_1"])
    return stream + torch.relu(hidden @ w["W_2"] + w["b_2"])
