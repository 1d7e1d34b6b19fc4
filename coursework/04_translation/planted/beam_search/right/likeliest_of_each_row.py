import heapq


def beam_search(step, state, bos_id, eos_id, k, max_length, alpha=0.0):
    """Only the k likeliest tokens of a row can be among the best k."""
    done, alive, states = [], [((), 0.0)], state
    for n in range(1, max_length + 1):
        newest = torch.tensor([written[-1] if written else bos_id for written, _ in alive])
        table, states = step(newest, states)
        pool = [(*h, -1) for h in done]
        values, ids = table.sort(dim=1, descending=True, stable=True)
        for row, (written, log_prob) in enumerate(alive):
            pairs = zip(values[row, :k].tolist(), ids[row, :k].tolist())
            for value, token in pairs:
                if value == -math.inf:
                    break
                total = log_prob + value
                pool.append((-total / n**alpha, (*written, token), total, row))
        kept = heapq.nsmallest(k, pool)
        done = [h[:3] for h in kept if h[1][-1] == eos_id]
        alive = [h[1:3] for h in kept if h[1][-1] != eos_id]
        if not alive:
            break
        states = states[[h[3] for h in kept if h[1][-1] != eos_id]]
    return list(kept[0][1]), torch.tensor(-kept[0][0])
