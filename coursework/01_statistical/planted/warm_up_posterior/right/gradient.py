def warm_up_posterior():
    table = [[<<null_buy>>, <<null_books>>], [<<mai_buy>>, <<mai_books>>]]
    table.append([<<shu_buy>>, <<shu_books>>])
    logs = torch.tensor(table, dtype=torch.float64).log().requires_grad_()
    height = (torch.logsumexp(logs, dim=0) - math.log(3)).sum()
    height.backward()
    row = logs.grad[2]
    return [row[1], height.exp().detach(), row[1] / row.sum()]
