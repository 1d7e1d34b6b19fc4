# says: You made the inputs at the padding zero and read them. An input of zero is still a step: the
# bias and W_hh move the state.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    mask = torch.arange(inputs.shape[1]) < lengths[:, None]
    inputs = inputs * mask[..., None]
    states = []
    for t in range(inputs.shape[1]):
        real = (t < lengths)[:, None]
        new = torch.tanh(inputs[:, t] @ W_xh + state @ W_hh + b_h)
        state = new
        states.append(torch.where(real, new, 0.0))
    return torch.stack(states, dim=1), state
