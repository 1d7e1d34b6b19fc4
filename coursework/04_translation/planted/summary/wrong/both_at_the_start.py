# says: You take both halves at the first word. The direction that reads from left to
# right has read one word only when it is there.
def summary(states, lengths):
    hidden = states.shape[-1] // 2
    rows = torch.arange(states.shape[0])
    ahead = states[:, 0, :hidden]
    back = states[:, 0, hidden:]
    return torch.cat([ahead, back], dim=-1)
