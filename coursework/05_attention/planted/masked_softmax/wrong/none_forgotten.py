# says: Your function needs a mask. None means that everything may be seen.
def masked_softmax(scores, mask=None):
    lowest = torch.finfo(scores.dtype).min
    return torch.softmax(scores.masked_fill(~mask, lowest), dim=-1).masked_fill(~mask, 0.0)
