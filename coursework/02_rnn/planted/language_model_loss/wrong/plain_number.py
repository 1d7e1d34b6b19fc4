# says: The number is right, but it is a plain number: autograd cannot go back from it. Return a
# tensor.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 1:]
    real = torch.arange(labels.shape[1]) + 1 < lengths[:, None]
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return (torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)).item()
