def beam_search(step, state, bos_id, eos_id, k, max_length, alpha=0.0):
    """Each hypothesis carries its own state, and is stepped alone."""
    beam = [(0.0, [], 0.0, state)]
    for length in range(1, max_length + 1):
        pool = []
        for minus_score, tokens, log_prob, own in beam:
            if tokens and tokens[-1] == eos_id:
                pool.append((minus_score, tokens, log_prob, None))
                continue
            newest = tokens[-1] if tokens else bos_id
            row, after = step(torch.tensor([newest]), own)
            for token in torch.nonzero(row[0] > -math.inf).flatten().tolist():
                total = log_prob + float(row[0, token])
                pool.append((-total / length**alpha, tokens + [token], total, after))
        beam = sorted(pool, key=lambda h: (h[0], h[1]))[:k]
    return beam[0][1], -beam[0][0]
