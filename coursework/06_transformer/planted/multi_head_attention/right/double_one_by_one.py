def multi_head_attention(x, memory, w_q, w_k, w_v, w_o, n_heads, mask=None):
    x, memory, w_q, w_k, w_v, w_o = (p.double() for p in (x, memory, w_q, w_k, w_v, w_o))
    size, value_size = w_q.shape[1] // n_heads, w_v.shape[1] // n_heads
    shape = len(x), n_heads, x.shape[1], memory.shape[1]
    seen = torch.ones(shape, dtype=torch.bool) if mask is None else mask.expand(shape)
    examples = []
    for b in range(len(x)):
        rows = []
        for t in range(x.shape[1]):
            joined = []
            for h in range(n_heads):
                columns = slice(h * size, (h + 1) * size)
                some = seen[b, h, t].nonzero().flatten()
                values = memory[b, some] @ w_v[:, h * value_size : (h + 1) * value_size]
                if len(some) == 0:
                    joined.append(torch.zeros(value_size, dtype=torch.float64))
                    continue
                keys = memory[b, some] @ w_k[:, columns]
                scores = keys @ (x[b, t] @ w_q[:, columns]) / math.sqrt(size)
                joined.append(torch.softmax(scores, dim=0) @ values)
            rows.append(torch.cat(joined) @ w_o)
        examples.append(torch.stack(rows))
    return torch.stack(examples)
