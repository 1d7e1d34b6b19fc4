# says: Your labels are shifted by two: logits[:, t] have read the tokens up to t, and the next one
# is t + 1.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 2:]
    real = torch.arange(labels.shape[1]) + 2 < lengths[:, None]
    log_probs = logits[:, :-2].log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
