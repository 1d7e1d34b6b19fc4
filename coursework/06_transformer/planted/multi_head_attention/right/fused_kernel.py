def multi_head_attention(x, memory, w_q, w_k, w_v, w_o, n_heads, mask=None):
    def heads(joined):
        return joined.unflatten(-1, (n_heads, -1)).transpose(1, 2)

    q, k, v = heads(x @ w_q), heads(memory @ w_k), heads(memory @ w_v)
    if mask is None:
        found = F.scaled_dot_product_attention(q, k, v)
    else:
        blind = ~mask.any(dim=-1, keepdim=True)
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask | blind)
        found = found.masked_fill(blind, 0.0)
    return found.transpose(1, 2).flatten(2) @ w_o
