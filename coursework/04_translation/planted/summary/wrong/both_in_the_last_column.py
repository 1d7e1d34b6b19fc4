# says: You take the last column as a whole: padding for most sentences, and the wrong end
# for the direction that reads from right to left.
def summary(states, lengths):
    hidden = states.shape[-1] // 2
    rows = torch.arange(states.shape[0])
    ahead = states[:, -1, :hidden]
    back = states[:, -1, hidden:]
    return torch.cat([ahead, back], dim=-1)
