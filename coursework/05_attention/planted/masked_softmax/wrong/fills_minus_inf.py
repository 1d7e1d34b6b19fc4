# says: You fill with minus infinity: a row that sees nothing divides 0 by 0, and its weights are
# NaN.
def masked_softmax(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return torch.softmax(scores, dim=-1)
