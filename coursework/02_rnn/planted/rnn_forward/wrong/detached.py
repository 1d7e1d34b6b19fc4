# says: The numbers are right, but you detach the state between the steps: no gradient goes back in
# time.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = []
    for t in range(inputs.shape[1]):
        real = (t < lengths)[:, None]
        new = torch.tanh(inputs[:, t] @ W_xh + state @ W_hh + b_h)
        state = torch.where(real, new, state).detach()
        states.append(torch.where(real, new, 0.0))
    return torch.stack(states, dim=1), state
