# says: For you only the second list is possible. A sure link is possible, whether it was written
# down there or not.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(a) + len(s)
    return 1 - hits / total if total else 0.0
