def warm_up_numbers():
    w = torch.tensor(<<weight>>.0, dtype=torch.float64, requires_grad=True)
    h = torch.tensor(<<start>>.0, dtype=torch.float64)
    for x in (<<x_1>>, <<x_2>>, <<x_3>>):
        h = w * h + x
    h.backward()
    old = <<hidden>> * (<<features>> + <<hidden>> + 1 + <<vocab>>)
    new = 2 * <<hidden>> * (<<features>> + 2 * <<hidden>> + 1 + <<vocab>>)
    product = math.prod(2.0**-b for b in <<bits_first>> + <<bits_second>>)
    return torch.tensor([new - old, round(product ** (-1 / 6), 2), float(w.grad)])
