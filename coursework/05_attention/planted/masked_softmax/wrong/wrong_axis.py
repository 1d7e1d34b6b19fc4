# says: Your softmax runs over the first axis. Each row of the last axis, the places that are
# asked, must sum to 1.
def masked_softmax(scores, mask=None):
    if mask is None:
        return torch.softmax(scores, dim=0)
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(~mask, lowest), dim=0)
    return weights.masked_fill(~mask, 0.0)
