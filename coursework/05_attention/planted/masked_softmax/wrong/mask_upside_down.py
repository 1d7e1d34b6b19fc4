# says: You hide the places where the mask is True. In this course True means 'may be seen';
# torch's own multi-head attention says the opposite.
def masked_softmax(scores, mask=None):
    if mask is None:
        return torch.softmax(scores, dim=-1)
    lowest = torch.finfo(scores.dtype).min
    return torch.softmax(scores.masked_fill(mask, lowest), dim=-1).masked_fill(mask, 0.0)
