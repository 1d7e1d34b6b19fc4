# says: You fill with a large negative number and leave it at that: a row that sees nothing gets
# equal weights on places that it must not see.
def masked_softmax(scores, mask=None):
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    return torch.softmax(scores, dim=-1)
