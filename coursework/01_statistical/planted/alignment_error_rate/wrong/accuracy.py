# says: You return the share of what is right. It is an error rate: 0 is best.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(a) + len(s)
    return hits / total if total else 0.0
