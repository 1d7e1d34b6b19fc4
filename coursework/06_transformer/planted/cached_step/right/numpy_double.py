def cached_step(x, cache, parents, w_q, w_k, w_v):
    x, w_q, w_k, w_v = (part.double().numpy() for part in (x, w_q, w_k, w_v))
    keys, values = x @ w_k, x @ w_v
    if cache is not None:
        rows = np.arange(len(x)) if parents is None else parents.numpy()
        keys = np.concatenate([cache["keys"].numpy()[rows], keys], axis=1)
        values = np.concatenate([cache["values"].numpy()[rows], values], axis=1)
    scores = np.einsum("rnk,rtk->rnt", x @ w_q, keys) / np.sqrt(keys.shape[2])
    new, total = scores.shape[1:]
    ahead = np.arange(total) > np.arange(total - new, total)[:, None]
    exponentials = np.exp(scores - scores.max(axis=2, keepdims=True))
    exponentials[:, ahead] = 0
    weights = exponentials / exponentials.sum(axis=2, keepdims=True)
    kept = {"values": torch.from_numpy(values), "keys": torch.from_numpy(keys)}
    return torch.from_numpy(weights @ values), kept
