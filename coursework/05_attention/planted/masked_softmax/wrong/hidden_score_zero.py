# says: You made the hidden scores 0. A score of 0 is a score like any other, and often a good one.
def masked_softmax(scores, mask=None):
    if mask is not None:
        scores = scores * mask
    return torch.softmax(scores, dim=-1)
