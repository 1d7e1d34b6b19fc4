from typing import NamedTuple


class Hypothesis(NamedTuple):
    tokens: tuple
    log_prob: float
    parent: int
    score: float
    finished: bool


def beam_search(step, state, bos_id, eos_id, k, max_length, alpha=0.0):
    """Stop when no unfinished hypothesis can overtake the best finished one."""
    kept, states = [Hypothesis((), 0.0, -1, 0.0, False)], state
    for n in range(1, max_length + 1):
        grown = [h for h in kept if h.finished]
        alive = [h for h in kept if not h.finished]
        newest = [h.tokens[-1] if h.tokens else bos_id for h in alive]
        log_probs, states = step(torch.tensor(newest), states)
        for row, h in enumerate(alive):
            for token, value in enumerate(log_probs[row].numpy()):
                if np.isfinite(value):
                    total = h.log_prob + float(value)
                    ends = token == eos_id
                    score = total / n**alpha
                    new = Hypothesis((*h.tokens, token), total, row, score, ends)
                    grown.append(new)
        grown.sort(key=lambda h: h.tokens)
        grown.sort(key=lambda h: h.score, reverse=True)
        kept = grown[:k]
        alive = [h for h in kept if not h.finished]
        if not alive:
            break
        if kept[0].finished:
            most = max(h.log_prob for h in alive) / max_length**alpha
            if most < kept[0].score:
                break
        states = states[[h.parent for h in alive]]
    return kept[0].tokens, kept[0].score
