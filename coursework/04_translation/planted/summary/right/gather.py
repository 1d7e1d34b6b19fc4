def summary(states, lengths):
    width = states.size(2)
    first = torch.zeros_like(lengths)
    places = torch.stack([lengths - 1, first], dim=1)
    ends = states.gather(1, places[:, :, None].expand(-1, -1, width))
    return torch.cat([ends[:, 0, : width // 2], ends[:, 1, width // 2 :]], dim=1)
