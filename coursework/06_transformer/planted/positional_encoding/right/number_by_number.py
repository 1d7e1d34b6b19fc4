def positional_encoding(start, length, d_model):
    rows = []
    for t in range(start, start + length):
        row = []
        for component in range(d_model):
            angle = t / 10000 ** ((component - component % 2) / d_model)
            row.append(math.cos(angle) if component % 2 else math.sin(angle))
        rows.append(row)
    return torch.tensor(rows)
