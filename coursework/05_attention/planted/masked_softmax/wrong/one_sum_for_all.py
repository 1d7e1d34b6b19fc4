# says: You divide by the sum over the whole tensor. Each row must sum to 1 by itself.
def masked_softmax(scores, mask=None):
    if mask is None:
        mask = torch.tensor(True)
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    powers = torch.exp(scores - scores.max().detach()).masked_fill(~mask, 0.0)
    total = powers.sum()
    return powers / total.masked_fill(total == 0, 1.0)
