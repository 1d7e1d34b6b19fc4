# says: You use the length of the longest sentence for every row.
def summary(states, lengths):
    hidden = states.shape[-1] // 2
    rows = torch.arange(states.shape[0])
    ahead = states[rows, lengths.max() - 1, :hidden]
    back = states[:, 0, hidden:]
    return torch.cat([ahead, back], dim=-1)
