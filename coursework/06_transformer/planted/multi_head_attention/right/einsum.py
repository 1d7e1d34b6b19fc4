def multi_head_attention(x, memory, w_q, w_k, w_v, w_o, n_heads, mask=None):
    d_model = x.shape[-1]
    q = torch.einsum("btd,dhk->bhtk", x, w_q.reshape(d_model, n_heads, -1))
    k = torch.einsum("bsd,dhk->bhsk", memory, w_k.reshape(d_model, n_heads, -1))
    v = torch.einsum("bsd,dhv->bhsv", memory, w_v.reshape(d_model, n_heads, -1))
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) * q.size(-1) ** -0.5
    if mask is not None:
        empty = ~mask.any(dim=-1, keepdim=True)
        scores = scores.masked_fill(~(mask | empty), float("-inf"))
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights * ~empty
    return torch.einsum("bhts,bhsv,hvd->btd", weights, v, w_o.reshape(n_heads, -1, d_model))
