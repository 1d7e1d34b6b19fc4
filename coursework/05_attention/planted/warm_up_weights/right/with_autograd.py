def warm_up_weights():
    scores = torch.tensor([<<odds_a>>, <<odds_b>>, <<odds_c>>], dtype=torch.float64).log()
    values = torch.tensor([<<value_a>>, <<value_b>>, <<value_c>>], dtype=torch.float64)
    scores.requires_grad_()
    context = scores.softmax(0) @ values
    (slope,) = torch.autograd.grad(context, scores)
    bias = torch.tensor([0.0, -torch.inf, 0.0])
    hidden = (scores + bias).softmax(0) @ values
    return torch.stack([context, hidden, slope[0]]).detach()
