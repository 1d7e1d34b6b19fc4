# says: You put an axis into every mask of two axes, as if it were always (batch, src). It may be
# (tgt, src) as well: take the mask as it comes, it broadcasts.
def masked_softmax(scores, mask=None):
    if mask is None:
        return torch.softmax(scores, dim=-1)
    if mask.ndim == 2:
        mask = mask[:, None, :]
    lowest = torch.finfo(scores.dtype).min
    return torch.softmax(scores.masked_fill(~mask, lowest), dim=-1).masked_fill(~mask, 0.0)
