def additive_scores(queries, keys, w_q, w_k, b, w_a):
    shown = keys @ w_k + b
    rows = []
    for j in range(queries.shape[1]):
        block = torch.tanh(shown + (queries[:, j] @ w_q).unsqueeze(1))
        rows.append((block * w_a).sum(-1))
    return torch.stack(rows, dim=1)
