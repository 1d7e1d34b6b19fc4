# says: Your rate is in per cent. It goes from 0 to 1.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(a) + len(s)
    return 100 - 100 * hits / total if total else 0.0
