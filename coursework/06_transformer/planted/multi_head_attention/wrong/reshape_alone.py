# says: Queries, keys and values are cut into heads by a reshape alone, and joined by one: each
# head gets a stretch of the sentence, not a part of the components.
def multi_head_attention(x, memory, w_q, w_k, w_v, w_o, n_heads, mask=None):
    batch, tgt, src = x.shape[0], x.shape[1], memory.shape[1]
    q = (x @ w_q).reshape(batch, n_heads, tgt, -1)
    k = (memory @ w_k).reshape(batch, n_heads, src, -1)
    v = (memory @ w_v).reshape(batch, n_heads, src, -1)
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e30)
    weights = torch.softmax(scores, dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return (weights @ v).reshape(batch, tgt, -1) @ w_o
