# says: You divide over the English words of the sentence. An English word asks which *position* it
# came from, so the sum runs over positions.
def em_step(theta, pairs):
    counts = torch.zeros_like(theta)
    height = 0.0
    for source, target in pairs:
        given = [0, *source]
        for y in target:
            scores = [float(theta[x, y]) for x in given]
            total = sum(scores)
            for x, score in zip(given, scores):
                row = sum(float(theta[x, z]) for z in target)
                counts[x, y] += score / row if row else 0.0
            height += math.log(total / len(given))
    sums = counts.sum(dim=1, keepdim=True)
    new = torch.where(sums > 0, counts / sums, theta)
    return new, height
