# says: You divide by the lengths of the lists. A link may stand twice in a list, and is one link
# all the same.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(links[b]) + len(sure[b])
    return 1 - hits / total if total else 0.0
