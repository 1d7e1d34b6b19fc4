# says: You divide by the length whatever the exponent is. With 0 the log-probabilities
# are compared as they are.
def beam_search(step, state, bos_id, eos_id, k, max_length, alpha=0.0):
    def score(tokens, log_prob):
        return log_prob / len(tokens)

    kept, states = [([], 0.0)], state
    for _ in range(max_length):
        done = [h for h in kept if h[0][-1:] == [eos_id]]
        alive = [h for h in kept if h[0][-1:] != [eos_id]]
        if not alive:
            break
        newest = torch.tensor([tokens[-1] if tokens else bos_id for tokens, _ in alive])
        table, states = step(newest, states)
        grown = [(tokens, log_prob, None) for tokens, log_prob in done]
        for row, (tokens, log_prob) in enumerate(alive):
            for token, value in enumerate(table[row].tolist()):
                if value > -math.inf:
                    grown.append(([*tokens, token], log_prob + value, row))
        grown.sort(key=lambda h: (-score(h[0], h[1]), h[0]))
        grown = grown[:k]
        kept = [(tokens, log_prob) for tokens, log_prob, _ in grown]
        rows = [row for tokens, _, row in grown if tokens[-1] != eos_id]
        states = states[torch.tensor(rows, dtype=torch.int64)]
    tokens, log_prob = kept[0]
    return tokens, score(tokens, log_prob)
