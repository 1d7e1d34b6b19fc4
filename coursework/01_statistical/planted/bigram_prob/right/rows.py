from collections import defaultdict


def bigram_prob(sentences, history, word, discount):
    rows = defaultdict(Counter)
    for sentence in sentences:
        previous = "<s>"
        for w in [*sentence, "</s>"]:
            rows[previous][w] += 1
            previous = w
    known = {w for row in rows.values() for w in row}
    different = sum(len(row) for row in rows.values())
    before = sum(word in row for row in rows.values())
    single = discount * len(known) / (different * (len(known) + 1))
    if before:
        single += (before - discount) / different
    row = rows.get(history)
    if not row:
        return single
    seen = row.get(word, 0)
    left = seen - discount if seen else 0.0
    return (left + discount * len(row) * single) / sum(row.values())
