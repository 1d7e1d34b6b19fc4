def multi_head_attention(x, memory, w_q, w_k, w_v, w_o, n_heads, mask=None):
    found = 0
    parts = [w.chunk(n_heads, dim=1) for w in (w_q, w_k, w_v)] + [w_o.chunk(n_heads, dim=0)]
    for h, (q, k, v, o) in enumerate(zip(*parts)):
        scores = (x @ q) @ (memory @ k).transpose(1, 2) / q.shape[1] ** 0.5
        if mask is None:
            found = found + torch.softmax(scores, -1) @ (memory @ v) @ o
            continue
        seen = mask[:, h if mask.shape[1] > 1 else 0].expand(scores.shape)
        scores = torch.where(seen, scores, torch.full_like(scores, -1e9))
        exponentials = torch.exp(scores - scores.max(-1, keepdim=True).values) * seen
        total = exponentials.sum(-1, keepdim=True)
        weights = exponentials / torch.where(total > 0, total, torch.ones_like(total))
        found = found + weights @ (memory @ v) @ o
    return found
