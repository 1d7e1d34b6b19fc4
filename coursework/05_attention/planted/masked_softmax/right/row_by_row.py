def masked_softmax(scores, mask=None):
    src = scores.shape[-1]
    mask = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand_as(scores)
    rows = []
    for row, seen in zip(scores.reshape(-1, src), mask.reshape(-1, src)):
        places = [i for i in range(src) if seen[i]]
        weights = torch.softmax(row[places], dim=0)
        at = {place: number for number, place in enumerate(places)}
        rows.append([weights[at[i]] if i in at else 0.0 * row[i] for i in range(src)])
    return torch.stack([torch.stack(row) for row in rows]).reshape(scores.shape)
