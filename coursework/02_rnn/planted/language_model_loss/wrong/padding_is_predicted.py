# says: You average over all places, the padding included. How to predict padding is a question that
# nobody asked.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 1:]
    real = torch.ones_like(labels, dtype=torch.bool)
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
