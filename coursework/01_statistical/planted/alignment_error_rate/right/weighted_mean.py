def alignment_error_rate(links, sure, possible):
    rates, weights = [0.0], [0]
    for a, s, p in zip(links, sure, possible):
        a, s = frozenset(a), frozenset(s)
        p = s.union(p)
        weight = len(a) + len(s)
        if weight:
            rates.append(1 - (len(a & s) + len(a & p)) / weight)
            weights.append(weight)
    if sum(weights) == 0:
        return 0
    return np.average(rates, weights=weights)
