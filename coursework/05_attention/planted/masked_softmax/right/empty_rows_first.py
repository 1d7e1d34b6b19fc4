def masked_softmax(scores, mask=None):
    mask = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask
    hidden = ~mask.broadcast_to(scores.shape)
    empty = hidden.all(dim=-1, keepdim=True)
    open_scores = scores.masked_fill(hidden & ~empty, -torch.inf)
    return F.softmax(open_scores, dim=-1) * ~empty
