def beam_search(step, state, bos_id, eos_id, k, max_length, alpha=0.0):
    """No state is kept: each beginning is read again from its first token."""

    def after(tokens):
        own = state
        for token in [bos_id, *tokens]:
            log_probs, own = step(torch.tensor([token]), own)
        return log_probs[0].tolist()

    def rank(hypothesis):
        tokens, log_prob = hypothesis
        return -log_prob / len(tokens) ** alpha, tokens

    kept = [([], 0.0)]
    while True:
        grown = []
        for tokens, log_prob in kept:
            if eos_id in tokens or len(tokens) == max_length:
                grown.append((tokens, log_prob))
            else:
                for token, value in enumerate(after(tokens)):
                    if value != -math.inf:
                        grown.append((tokens + [token], log_prob + value))
        grown = sorted(grown, key=rank)[:k]
        if grown == kept:
            tokens, _ = kept[0]
            return tokens, -rank(kept[0])[0]
        kept = grown
