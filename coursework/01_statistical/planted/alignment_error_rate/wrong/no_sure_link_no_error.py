# says: Without a sure link in the corpus you report no error. A proposed link that is not possible
# is still wrong.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        hits += len(a & s) + len(a & p)
        total += len(a) + len(s)
    if not any(sure):
        return 0.0
    return 1 - hits / total if total else 0.0
