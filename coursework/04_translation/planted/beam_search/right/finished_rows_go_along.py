def beam_search(step, state, bos_id, eos_id, k, max_length, alpha=0.0):
    """Every kept hypothesis has a row; what the finished ones get back is not used."""
    tokens, log_probs, scores = [[]], [0.0], [0.0]
    newest, states = torch.tensor([bos_id]), state
    for n in range(1, max_length + 1):
        table, states = step(newest, states)
        candidates = []
        for row, written in enumerate(tokens):
            if written and written[-1] == eos_id:
                candidates.append((-scores[row], written, log_probs[row], row))
            else:
                sums = log_probs[row] + table[row]
                for token in range(len(sums)):
                    total = sums[token].item()
                    if total > -math.inf:
                        new = (-total / n**alpha, [*written, token], total, row)
                        candidates.append(new)
        best = sorted(candidates)[:k]
        tokens, log_probs = [b[1] for b in best], [b[2] for b in best]
        scores = [-b[0] for b in best]
        newest = torch.tensor([written[-1] for written in tokens])
        states = states.index_select(0, torch.tensor([b[3] for b in best]))
        if all(written[-1] == eos_id for written in tokens):
            break
    return tokens[0], scores[0]
