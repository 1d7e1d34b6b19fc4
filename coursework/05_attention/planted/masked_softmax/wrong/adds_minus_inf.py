# says: You add a bias of minus infinity. A row that sees nothing becomes NaN, and the NaN goes
# back into the gradient as well.
def masked_softmax(scores, mask=None):
    if mask is not None:
        scores = scores + torch.log(mask.to(scores.dtype))
    return torch.softmax(scores, dim=-1)
