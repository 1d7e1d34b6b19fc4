# says: You divide by how often the given word occurs. A row is divided by the sum of its expected
# counts: some words produce less than one English word, some more.
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
    often = Counter(x for source, _ in pairs for x in [0, *source])
    often = torch.tensor([[float(often[x])] for x in range(len(theta))])
    new = torch.where(sums > 0, counts / often, theta)
    return new, height
