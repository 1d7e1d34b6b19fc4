# says: You subtract the largest logit in place, so the caller's logits change.
def language_model_loss(logits, ids, lengths):
    logits -= logits.max(dim=-1, keepdim=True).values
    labels = ids[:, 1:]
    real = torch.arange(labels.shape[1]) + 1 < lengths[:, None]
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
