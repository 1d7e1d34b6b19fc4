# says: Your labels are not shifted: each step is asked for the token that it has just read.
def language_model_loss(logits, ids, lengths):
    labels = ids
    real = torch.arange(labels.shape[1]) < lengths[:, None]
    log_probs = logits.log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
