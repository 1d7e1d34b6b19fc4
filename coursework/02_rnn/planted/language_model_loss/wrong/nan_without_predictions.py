# says: If nothing is to be predicted you divide 0 by 0. The loss of such a batch is 0.
def language_model_loss(logits, ids, lengths):
    labels = ids[:, 1:]
    real = torch.arange(labels.shape[1]) + 1 < lengths[:, None]
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    paid = -log_probs.gather(-1, labels[..., None])[..., 0]
    return paid[real].mean()
