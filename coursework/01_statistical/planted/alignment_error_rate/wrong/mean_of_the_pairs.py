# says: You average the rates of the sentence pairs. A short pair then counts as much as a long
# one: add up the counts first.
def alignment_error_rate(links, sure, possible):
    rates = []
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        total = len(a) + len(s)
        rates.append(1 - (len(a & s) + len(a & p)) / total if total else 0.0)
    return sum(rates) / len(rates) if rates else 0.0
