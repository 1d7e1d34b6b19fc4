# says: Your log-likelihood takes the best position of each word. The likelihood sums over all.
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
            height += math.log(max(scores) / len(given))
    sums = counts.sum(dim=1, keepdim=True)
    new = torch.where(sums > 0, counts / sums, theta)
    return new, height
