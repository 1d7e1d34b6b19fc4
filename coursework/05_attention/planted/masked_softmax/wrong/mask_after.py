# says: You mask after the softmax: the hidden places have already taken their share, and what is
# left does not sum to 1.
def masked_softmax(scores, mask=None):
    weights = torch.softmax(scores, dim=-1)
    return weights if mask is None else weights.masked_fill(~mask, 0.0)
