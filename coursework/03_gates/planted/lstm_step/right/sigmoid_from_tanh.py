def lstm_step(x, h, c, W_xh, W_hh, b):
    def gate(a):
        return 0.5 + 0.5 * torch.tanh(a / 2)

    a = torch.addmm(b, x, W_xh).addmm(h, W_hh)
    f, i, o, g = torch.split(a, h.shape[-1], dim=-1)
    new_cell = c * gate(f) + torch.tanh(g) * gate(i)
    return gate(o) * torch.tanh(new_cell), new_cell
