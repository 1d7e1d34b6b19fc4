def positional_encoding(start, length, d_model):
    """Each row is the one before, turned by the matrix of one step."""
    turn = torch.zeros(d_model, d_model, dtype=torch.float64)
    for k in range(0, d_model, 2):
        c, s = math.cos(10000 ** (-k / d_model)), math.sin(10000 ** (-k / d_model))
        turn[k : k + 2, k : k + 2] = torch.tensor([[c, -s], [s, c]])
    row, rows = torch.tensor([0.0, 1.0] * (d_model // 2), dtype=torch.float64), []
    for t in range(start + length):
        rows.append(row)
        row = row @ turn
    return torch.stack(rows[start:])
