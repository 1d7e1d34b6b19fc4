def warm_up_numbers():
    f = torch.sigmoid(torch.tensor([<<odds_1>>, <<odds_2>>, <<odds_3>>]).log())
    one = f.prod() * <<start>>
    two = (f[0] * f[1] * <<start>> + <<gate>> * <<candidate>>) * f[2]
    h = torch.tensor(<<state>>)
    for _ in range(<<steps>>):
        h = torch.lerp(h, torch.tensor(<<towards>>), <<replaced>>)
    return [round(float(number), 3) for number in (one, two, h)]
