# says: Only the last sentence pair counts: you set the sums back to 0 at each.
def alignment_error_rate(links, sure, possible):
    total = 0
    for b in range(len(links)):
        hits = total = 0
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(a) + len(s)
    return 1 - hits / total if total else 0.0
