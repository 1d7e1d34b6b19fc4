# says: You take a softmax of a softmax. The second one is fed with numbers between 0 and 1, so no
# weight can be more than e times another.
def masked_softmax(scores, mask=None):
    hidden = torch.zeros_like(scores, dtype=torch.bool) if mask is None else ~mask
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(hidden, lowest), dim=-1)
    weights = torch.softmax(weights.masked_fill(hidden, lowest), dim=-1)
    return weights.masked_fill(hidden, 0.0)
