# says: You compare source positions only. A link is right if both of its words are.
def alignment_error_rate(links, sure, possible):
    hits = total = 0
    for proposed, certain, more in zip(links, sure, possible):
        s = {i for i, _ in certain}
        p = s | {i for i, _ in more}
        a = set(proposed)
        hits += sum(i in s for i, _ in a) + sum(i in p for i, _ in a)
        total += len(a) + len(set(certain))
    return 1 - hits / total if total else 0.0
