def language_model_loss(logits, ids, lengths):
    if ids.shape[1] == 1:
        return 0.0 * logits.sum()
    scored = torch.distributions.Categorical(logits=logits[:, :-1]).log_prob(ids[:, 1:])
    kept = [row[: max(n - 1, 0)] for row, n in zip(scored, lengths.tolist(), strict=True)]
    kept = torch.cat(kept)
    return -kept.mean() if len(kept) else kept.sum()
