# says: You leave out the first prediction. The model has read one token there, and has to say the
# second.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 1:]
    real = (torch.arange(labels.shape[1]) + 1 < lengths[:, None]) & (
        torch.arange(labels.shape[1]) > 0
    )
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
