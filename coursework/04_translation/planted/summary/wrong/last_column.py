# says: You take the last column for the left-to-right half. In a padded batch that is
# padding for all but the longest sentence.
def summary(states, lengths):
    hidden = states.shape[-1] // 2
    rows = torch.arange(states.shape[0])
    ahead = states[:, -1, :hidden]
    back = states[:, 0, hidden:]
    return torch.cat([ahead, back], dim=-1)
