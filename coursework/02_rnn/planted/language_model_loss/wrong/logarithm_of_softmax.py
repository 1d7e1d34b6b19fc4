# says: You take the logarithm of the softmax in two steps. Where a logit is far below the largest,
# its probability is 0 in float32, and the logarithm is infinite.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 1:]
    real = torch.arange(labels.shape[1]) + 1 < lengths[:, None]
    log_probs = logits[:, :-1].softmax(dim=-1).log()
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
