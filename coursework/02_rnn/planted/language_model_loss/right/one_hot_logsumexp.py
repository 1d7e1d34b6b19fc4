def language_model_loss(logits, ids, lengths):
    steps = torch.arange(ids.shape[1])
    weight = ((steps >= 1) & (steps < lengths[:, None])).to(logits.dtype)[:, 1:]
    labels = torch.nn.functional.one_hot(ids[:, 1:], logits.shape[-1]).to(logits.dtype)
    chosen = torch.einsum("btv,btv->bt", logits[:, :-1], labels)
    paid = logits[:, :-1].logsumexp(dim=-1) - chosen
    return (paid * weight).sum() / torch.clamp((lengths - 1).clamp(min=0).sum(), min=1)
