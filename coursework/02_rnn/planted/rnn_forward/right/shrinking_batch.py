def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    order = lengths.argsort(descending=True)
    back = order.argsort()
    h, sizes = state[order], (lengths[None] > torch.arange(inputs.shape[1])[:, None]).sum(1)
    columns = []
    for t, n in enumerate(sizes.tolist()):
        now = inputs[order[:n], t]
        new = (now @ W_xh + h[:n] @ W_hh + b_h).tanh()
        h = torch.cat([new, h[n:]])
        columns.append(torch.cat([new, torch.zeros_like(h[n:])]))
    return torch.stack(columns, dim=1)[back], h[back]
