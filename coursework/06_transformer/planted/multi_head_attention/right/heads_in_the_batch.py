def multi_head_attention(x, memory, w_q, w_k, w_v, w_o, n_heads, mask=None):
    batch, tgt, src = x.shape[0], x.shape[1], memory.shape[1]

    def fold(joined):
        return torch.cat(joined.chunk(n_heads, dim=-1), dim=0)  # head 0 of all examples first

    q, k, v = fold(x @ w_q), fold(memory @ w_k), fold(memory @ w_v)
    scores = torch.bmm(q / math.sqrt(q.shape[-1]), k.mT)
    if mask is not None:
        hidden = ~mask.expand(batch, n_heads, tgt, src).transpose(0, 1).reshape(scores.shape)
        scores = scores.masked_fill(hidden, -1e4)
    weights = torch.softmax(scores, dim=-1)
    if mask is not None:
        weights = weights.masked_fill(hidden, 0)
    return torch.cat(torch.bmm(weights, v).chunk(n_heads, dim=0), dim=-1) @ w_o
