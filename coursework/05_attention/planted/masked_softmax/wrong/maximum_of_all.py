# says: You subtract the largest of all scores, hidden ones included. If a hidden one is far ahead,
# all exponentials that count are 0.
def masked_softmax(scores, mask=None):
    powers = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
    if mask is not None:
        powers = powers * mask
    total = powers.sum(dim=-1, keepdim=True)
    return powers / total.masked_fill(total == 0, 1.0)
