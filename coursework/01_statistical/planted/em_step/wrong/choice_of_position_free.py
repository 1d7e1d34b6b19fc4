# says: In the likelihood the choice of a position is missing: each of the S + 1 positions is
# picked with the same probability.
def em_step(theta, pairs):
    counts = torch.zeros_like(theta)
    height = 0.0
    for source, target in pairs:
        given = [0, *source]
        for y in target:
            scores = [float(theta[x, y]) for x in given]
            total = sum(scores)
            for x, score in zip(given, scores):
                counts[x, y] += score / total
            height += math.log(total)
    sums = counts.sum(dim=1, keepdim=True)
    new = torch.where(sums > 0, counts / sums, theta)
    return new, height
