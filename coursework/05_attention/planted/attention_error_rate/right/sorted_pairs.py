def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    hits, total = torch.zeros(()), torch.zeros(())
    for w, S, T, s, p in zip(weights, src_lengths, tgt_lengths, sure, possible):
        for j, row in enumerate(w[:T, : S + 1].double()):
            weight, i = min((-float(weight), i) for i, weight in enumerate(row))
            if weight < 0 and i < S:
                hits += ((i, j) in s) + ((i, j) in p)
                total += 1
        total += len(s)
    return torch.where(total > 0, 1 - hits / total.clamp(min=1), 0.0)
