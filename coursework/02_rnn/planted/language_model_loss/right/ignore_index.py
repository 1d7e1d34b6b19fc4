def language_model_loss(logits, ids, lengths):
    labels = ids.roll(-1, dims=1)
    last = torch.arange(ids.shape[1]) >= lengths[:, None] - 1
    labels = labels.masked_fill(last, -100)
    total = torch.nn.functional.cross_entropy(
        logits.transpose(1, 2), labels, ignore_index=-100, reduction="sum"
    )
    return total / max(int((labels != -100).sum()), 1)
