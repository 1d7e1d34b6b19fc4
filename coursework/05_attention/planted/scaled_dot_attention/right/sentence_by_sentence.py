def scaled_dot_attention(queries, keys, values, lengths):
    contexts, weights = [], []
    for q, k, v, n in zip(queries, keys, values, lengths.tolist()):
        alpha = torch.softmax(q @ k[:n].T / k.shape[1] ** 0.5, dim=1)
        contexts.append(alpha @ v[:n])
        weights.append(F.pad(alpha, (0, len(k) - n)))
    return torch.stack(contexts), torch.stack(weights)
