def alignment_error_rate(links, sure, possible):
    n = Counter()
    for a, s, p in zip(map(set, links), map(set, sure), map(set, possible)):
        n.update(a=len(a), s=len(s), found=len(a & s), allowed=len(a & (s | p)))
    precision = n["allowed"] / n["a"] if n["a"] else 1.0
    recall = n["found"] / n["s"] if n["s"] else 1.0
    share = n["a"] / (n["a"] + n["s"]) if n["a"] + n["s"] else 0.5
    return 1.0 - share * precision - (1 - share) * recall
