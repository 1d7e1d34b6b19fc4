# says: You roll the mask along with the labels. What falls out on the left comes back on the
# right: the last place of each row is asked for the first token.
def language_model_loss(logits, ids, lengths):
    labels = ids.roll(-1, dims=1)
    real = (torch.arange(ids.shape[1]) < lengths[:, None]).roll(-1, dims=1)
    log_probs = logits.log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return torch.where(real, paid, 0.0).sum() / real.sum().clamp(min=1)
