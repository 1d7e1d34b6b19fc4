# says: You made a matrix of the scores and did not go back to their shape: there is one weight for
# each score, in its place.
def masked_softmax(scores, mask=None):
    rows = scores.reshape(-1, scores.shape[-1])
    if mask is None:
        return torch.softmax(rows, dim=-1)
    hidden = ~mask.expand(scores.shape).reshape(rows.shape)
    weights = torch.softmax(rows.masked_fill(hidden, torch.finfo(rows.dtype).min), dim=-1)
    return weights.masked_fill(hidden, 0.0)
