# says: A Chinese word that stands twice gets one posterior with you. It has two positions, and
# both count.
def em_step(theta, pairs):
    counts = torch.zeros_like(theta)
    height = 0.0
    for source, target in pairs:
        given = [0, *source]
        for y in target:
            scores = [float(theta[x, y]) for x in given]
            total = sum(scores)
            counts[given, y] += torch.tensor(scores) / total
            height += math.log(total / len(given))
    sums = counts.sum(dim=1, keepdim=True)
    new = torch.where(sums > 0, counts / sums, theta)
    return new, height
