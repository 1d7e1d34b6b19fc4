def cached_step(x, cache, parents, w_q, w_k, w_v):
    outputs, kept_keys, kept_values = [], [], []
    for r, words in enumerate(x):
        keys, values = [], []
        if cache is not None:
            parent = r if parents is None else int(parents[r])
            keys, values = list(cache["keys"][parent]), list(cache["values"][parent])
        found = []
        for word in words:
            keys.append(word @ w_k)
            values.append(word @ w_v)
            scores = torch.stack(keys) @ (word @ w_q) / len(keys[0]) ** 0.5
            found.append(torch.softmax(scores, dim=0) @ torch.stack(values))
        outputs.append(torch.stack(found))
        kept_keys.append(torch.stack(keys))
        kept_values.append(torch.stack(values))
    cache = {"keys": torch.stack(kept_keys), "values": torch.stack(kept_values)}
    return torch.stack(outputs), cache
