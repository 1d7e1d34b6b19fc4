# says: You averaged within each sentence, and then over the sentences: a prediction in a short
# sentence counts more. All predictions of the batch count alike.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 1:]
    real = torch.arange(labels.shape[1]) + 1 < lengths[:, None]
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return (
        torch.where(real, paid, 0.0).sum(dim=1) / real.sum(dim=1).clamp(min=1)
    ).sum() / real.any(dim=1).sum().clamp(min=1)
