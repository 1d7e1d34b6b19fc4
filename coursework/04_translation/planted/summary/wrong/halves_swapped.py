# says: Your halves come in the wrong order: left to right first.
def summary(states, lengths):
    hidden = states.shape[-1] // 2
    rows = torch.arange(states.shape[0])
    ahead = states[rows, lengths - 1, :hidden]
    back = states[:, 0, hidden:]
    return torch.cat([back, ahead], dim=-1)
