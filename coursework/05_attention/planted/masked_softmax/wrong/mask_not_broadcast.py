# says: You pair the rows of the scores with the rows of the mask one by one. A mask may have fewer
# rows than the scores, and then it serves many of them.
def masked_softmax(scores, mask=None):
    if mask is None:
        return torch.softmax(scores, dim=-1)
    src = scores.shape[-1]
    lowest = torch.finfo(scores.dtype).min
    rows = []
    for row, seen in zip(scores.reshape(-1, src), mask.reshape(-1, src)):
        weights = torch.softmax(row.masked_fill(~seen, lowest), dim=-1)
        rows.append(weights.masked_fill(~seen, 0.0))
    return torch.stack(rows).reshape(scores.shape)
