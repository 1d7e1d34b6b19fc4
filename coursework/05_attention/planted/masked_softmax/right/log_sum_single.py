def masked_softmax(scores, mask=None):
    e = scores if mask is None else torch.where(mask, scores, -1e9)
    weights = (e - torch.logsumexp(e, dim=-1, keepdim=True)).exp()
    return weights if mask is None else weights.masked_fill(~mask, 0.0)
