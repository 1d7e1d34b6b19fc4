# says: A head's size is taken to be d_model divided by the number of heads; here the width of the
# projections decides.
def multi_head_attention(x, memory, w_q, w_k, w_v, w_o, n_heads, mask=None):
    batch, tgt, src = x.shape[0], x.shape[1], memory.shape[1]
    q = (x @ w_q).reshape(batch, tgt, n_heads, -1).transpose(1, 2)
    k = (memory @ w_k).reshape(batch, src, n_heads, -1).transpose(1, 2)
    v = (memory @ w_v).reshape(batch, src, n_heads, -1).transpose(1, 2)
    scores = q @ k.transpose(-1, -2) / math.sqrt(x.shape[-1] // n_heads)
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e30)
    weights = torch.softmax(scores, dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return (weights @ v).transpose(1, 2).reshape(batch, tgt, -1) @ w_o
