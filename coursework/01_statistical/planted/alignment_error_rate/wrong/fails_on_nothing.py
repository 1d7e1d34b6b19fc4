# says: You divide by zero where nothing is proposed and nothing is sure.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(a) + len(s)
    return 1 - hits / total
