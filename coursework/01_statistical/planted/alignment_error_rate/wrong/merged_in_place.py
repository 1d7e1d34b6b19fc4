# says: You write the sure links into the list of possible ones that was handed in. Make a set of
# your own.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        possible[b] += sure[b]
        p = set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(a) + len(s)
    return 1 - hits / total if total else 0.0
