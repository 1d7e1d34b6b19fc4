# says: NULL is missing: it stands at position 0 of each pair, and you have to put it there.
def em_step(theta, pairs):
    counts = torch.zeros_like(theta)
    height = 0.0
    for source, target in pairs:
        given = list(source)
        for y in target:
            scores = [float(theta[x, y]) for x in given]
            total = sum(scores)
            if not total:
                continue
            for x, score in zip(given, scores):
                counts[x, y] += score / total
            height += math.log(total / len(given))
    sums = counts.sum(dim=1, keepdim=True)
    new = torch.where(sums > 0, counts / sums, theta)
    return new, height
