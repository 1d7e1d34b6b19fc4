def masked_softmax(scores, mask=None):
    e = scores.double()
    if mask is None:
        return (e - e.logsumexp(-1, keepdim=True)).exp()
    e = torch.where(mask, e, -1e30)
    weights = (e - torch.logsumexp(e, dim=-1, keepdim=True)).exp()
    return torch.where(mask, weights, 0.0)
