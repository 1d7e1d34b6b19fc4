# says: You took the id 0 for padding. Here only the lengths say what is real: a real token may
# have the id 0, and padding may have any.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 1:]
    real = labels != 0
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
