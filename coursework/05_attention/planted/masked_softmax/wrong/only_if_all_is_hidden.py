# says: You ask whether the mask is empty as a whole. A single row that sees nothing, beside others
# that see something, is still NaN.
def masked_softmax(scores, mask=None):
    if mask is None:
        return torch.softmax(scores, dim=-1)
    if not mask.any():
        return scores * 0.0
    return torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1)
