# says: You add the later losses up as they are. On the way back each of them goes through W_hh and
# a slope of tanh at every step.
def bptt_gradients(inputs, state, states, own, W_hh):
    G_a = own * (1 - states**2)
    later = G_a.flip(1).cumsum(dim=1).flip(1)  # this loss and all later ones
    before = torch.cat([state[:, None], states[:, :-1]], dim=1)
    by_xh = torch.einsum("btd,bth->dh", inputs, later)
    by_hh = torch.einsum("btk,bth->kh", before, later)
    return by_xh, by_hh, later.sum(dim=(0, 1))
