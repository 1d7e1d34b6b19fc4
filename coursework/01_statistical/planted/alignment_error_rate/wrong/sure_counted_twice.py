# says: A sure link that was written down twice counts twice in your denominator. It is one link.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(a) + len(sure[b])
    return 1 - hits / total if total else 0.0
