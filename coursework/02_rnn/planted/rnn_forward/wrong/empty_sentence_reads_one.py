# says: A sentence of length 0 read one step of padding. It has read nothing, and keeps the state
# that it came with.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    lengths = lengths.clamp(min=1)
    states = []
    for t in range(inputs.shape[1]):
        real = (t < lengths)[:, None]
        new = torch.tanh(inputs[:, t] @ W_xh + state @ W_hh + b_h)
        state = torch.where(real, new, state)
        states.append(torch.where(real, new, 0.0))
    return torch.stack(states, dim=1), state
