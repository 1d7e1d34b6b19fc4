def scaled_dot_attention(queries, keys, values, lengths):
    contexts = torch.zeros(*queries.shape[:2], values.shape[2])
    weights = torch.zeros(*queries.shape[:2], keys.shape[1])
    for b in range(len(queries)):
        n = int(lengths[b])
        if n == 0:
            continue
        for j in range(queries.shape[1]):
            scores = (keys[b, :n] * queries[b, j]).sum(dim=1) / keys.shape[2] ** 0.5
            weights[b, j, :n] = F.softmax(scores, dim=0)
            contexts[b, j] = (weights[b, j, :n, None].clone() * values[b, :n]).sum(dim=0)
    return contexts, weights
