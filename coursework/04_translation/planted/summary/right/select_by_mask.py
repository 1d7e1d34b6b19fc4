def summary(states, lengths):
    batch, src, width = states.shape
    ahead, back = states.double().split(width // 2, dim=2)
    last = torch.arange(src).expand(batch, src) == (lengths - 1).unsqueeze(1)
    first = torch.arange(src).expand(batch, src) == 0
    return torch.cat((ahead[last], back[first]), dim=1)
