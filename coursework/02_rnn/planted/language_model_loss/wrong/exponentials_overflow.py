# says: exp of a large logit is infinite in float32, and of a very negative one 0. Subtract the
# largest logit first, or use log_softmax.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 1:]
    real = torch.arange(labels.shape[1]) + 1 < lengths[:, None]
    log_probs = logits[:, :-1] - logits[:, :-1].exp().sum(-1, keepdim=True).log()
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
