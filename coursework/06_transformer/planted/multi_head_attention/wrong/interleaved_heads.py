# says: The components are dealt to the heads like cards, one to each in turn: a head has columns
# that stand side by side.
def multi_head_attention(x, memory, w_q, w_k, w_v, w_o, n_heads, mask=None):
    batch, tgt, src = x.shape[0], x.shape[1], memory.shape[1]
    q = (x @ w_q).reshape(batch, tgt, -1, n_heads).permute(0, 3, 1, 2)
    k = (memory @ w_k).reshape(batch, src, -1, n_heads).permute(0, 3, 1, 2)
    v = (memory @ w_v).reshape(batch, src, -1, n_heads).permute(0, 3, 1, 2)
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e30)
    weights = torch.softmax(scores, dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return (weights @ v).permute(0, 2, 3, 1).reshape(batch, tgt, -1) @ w_o
