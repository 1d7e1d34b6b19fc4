def language_model_loss(logits, ids, lengths):
    paid = []
    for b, n in enumerate(lengths.tolist()):
        for t in range(n - 1):
            z = logits[b, t].double()
            top = z.max()
            paid.append(top + (z - top).exp().sum().log() - z[ids[b, t + 1]])
    return sum(paid) / len(paid) if paid else torch.zeros(())
