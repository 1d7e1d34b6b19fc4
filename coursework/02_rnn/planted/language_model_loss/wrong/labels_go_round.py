# says: Your labels go round: after the last token of a full row comes its first one again, and
# after that of a short row the padding. The last real token has no label.
def language_model_loss(logits, ids, lengths):
    labels = ids.roll(-1, dims=1)
    real = torch.arange(labels.shape[1]) < lengths[:, None]
    log_probs = logits.log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
