# says: Your numbers are right, but the gradient does not flow back into the states: the
# encoder would learn nothing.
def summary(states, lengths):
    hidden = states.shape[-1] // 2
    rows = torch.arange(states.shape[0])
    ahead = states[rows, lengths - 1, :hidden]
    back = states[:, 0, hidden:]
    return torch.cat([ahead, back], dim=-1).detach()
