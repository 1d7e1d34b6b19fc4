# says: You added the mask to the scores. As a number True is 1 and False is 0: all that happens is
# that the visible places gain a factor of e.
def masked_softmax(scores, mask=None):
    if mask is not None:
        scores = scores + mask
    return torch.softmax(scores, dim=-1)
