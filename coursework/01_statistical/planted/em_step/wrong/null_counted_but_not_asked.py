# says: The sum over which you divide lacks NULL: the posteriors of a word add up to more than 1.
def em_step(theta, pairs):
    counts = torch.zeros_like(theta)
    height = 0.0
    for source, target in pairs:
        given = [0, *source]
        for y in target:
            scores = [float(theta[x, y]) for x in given]
            total = sum(scores[1:]) or scores[0]
            for x, score in zip(given, scores):
                counts[x, y] += score / total
            height += math.log(sum(scores) / len(given))
    sums = counts.sum(dim=1, keepdim=True)
    new = torch.where(sums > 0, counts / sums, theta)
    return new, height
