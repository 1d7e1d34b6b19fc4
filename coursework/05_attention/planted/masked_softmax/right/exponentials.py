def masked_softmax(scores, mask=None):
    if mask is None:
        mask = torch.ones(scores.shape[-1], dtype=torch.bool)
    mask = mask.expand(scores.shape)
    top = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).amax(-1, keepdim=True).detach()
    powers = torch.where(mask, torch.exp(torch.where(mask, scores - top, torch.zeros(()))), 0.0)
    total = powers.sum(-1, keepdim=True)
    return powers / torch.where(total == 0, torch.ones(()), total)
