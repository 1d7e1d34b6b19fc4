# says: A proposed link that stands twice in its list counts twice with you. It is one link.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        hits += sum((x in s) + (x in p) for x in links[b])
        total += len(links[b]) + len(s)
    return 1 - hits / total if total else 0.0
