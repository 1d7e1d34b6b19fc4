# says: You add the bias twice, once with the input and once with the state. torch's own layer has
# two biases; this cell has one.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = []
    for t in range(inputs.shape[1]):
        real = (t < lengths)[:, None]
        new = torch.tanh(inputs[:, t] @ W_xh + b_h + state @ W_hh + b_h)
        state = torch.where(real, new, state)
        states.append(torch.where(real, new, 0.0))
    return torch.stack(states, dim=1), state
