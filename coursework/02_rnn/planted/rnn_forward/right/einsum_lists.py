def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    last, rows = state, []
    steps = lengths.tolist()
    for t in range(inputs.size(1)):
        total = torch.einsum("bd,dh->bh", inputs[:, t], W_xh)
        total = total + torch.einsum("bk,kh->bh", last, W_hh) + b_h
        new = (total.exp() - (-total).exp()) / (total.exp() + (-total).exp())
        last = torch.stack([new[b] if t < n else last[b] for b, n in enumerate(steps)])
        real = torch.tensor([[t < n] for n in steps])
        rows.append(last.masked_fill(~real, 0.0))
    return torch.stack(rows, 1), last
