from collections import defaultdict


def em_step(theta, pairs):
    rows = theta.tolist()
    counts, height = defaultdict(lambda: defaultdict(float)), 0.0
    for source, target in pairs:
        given = Counter([0, *source])
        for y in target:
            total = sum(n * rows[x][y] for x, n in given.items())
            height += math.log(total) - math.log(len(source) + 1)
            for x, n in given.items():
                counts[x][y] += n * rows[x][y] / total
    for x, row in counts.items():
        size = sum(row.values())
        if size > 0:
            rows[x] = [row.get(y, 0.0) / size for y in range(len(rows[x]))]
    return [torch.tensor(rows), height]
