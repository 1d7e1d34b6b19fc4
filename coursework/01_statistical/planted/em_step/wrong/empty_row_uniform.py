# says: A row without a count is uniform with you. Nothing was learnt about its word, so it stays
# as it was.
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
            height += math.log(total / len(given))
    sums = counts.sum(dim=1, keepdim=True)
    new = torch.where(sums > 0, counts / sums, torch.full_like(theta, 1 / theta.shape[1]))
    return new, height
