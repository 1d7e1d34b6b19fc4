# says: Your W_hh is transposed. With an example as a row, row i of W_hh belongs to component i of
# the old state; torch.nn keeps the transpose.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = []
    for t in range(inputs.shape[1]):
        real = (t < lengths)[:, None]
        new = torch.tanh(inputs[:, t] @ W_xh + state @ W_hh.T + b_h)
        state = torch.where(real, new, state)
        states.append(torch.where(real, new, 0.0))
    return torch.stack(states, dim=1), state
