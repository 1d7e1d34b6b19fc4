def summary(states, lengths):
    src, width = states.shape[1:]
    place = torch.arange(src).reshape(1, src, 1)
    left_to_right = torch.arange(width).reshape(1, 1, width) < width // 2
    wanted = torch.where(left_to_right, lengths.reshape(-1, 1, 1) - 1, 0)
    return torch.where(place == wanted, states, torch.zeros(())).sum(dim=1)
