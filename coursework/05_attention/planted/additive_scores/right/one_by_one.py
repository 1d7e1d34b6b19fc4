def additive_scores(queries, keys, w_q, w_k, b, w_a):
    scores = []
    for q, k in zip(queries, keys):
        example = [[torch.tanh(one @ w_q + other @ w_k + b) @ w_a for other in k] for one in q]
        scores.append(torch.stack([torch.stack(row) for row in example]))
    return torch.stack(scores)
