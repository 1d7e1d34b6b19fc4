def language_model_loss(logits, ids, lengths):
    labels, shape = ids[:, 1:], (len(ids), ids.shape[1] - 1)
    real = (torch.arange(1, shape[1] + 1)[None] < lengths[:, None]).expand(shape)
    if not real.any():
        return torch.tensor(0.0)
    return torch.nn.functional.cross_entropy(logits[:, :-1][real], labels[real])
