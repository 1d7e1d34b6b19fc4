# says: You mask behind the softmax and divide again. Where a hidden place was far ahead, nothing
# is left to divide: the visible weights have become too small, or 0.
def masked_softmax(scores, mask=None):
    weights = torch.softmax(scores, dim=-1)
    if mask is not None:
        weights = weights * mask
        weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-9)
    return weights
