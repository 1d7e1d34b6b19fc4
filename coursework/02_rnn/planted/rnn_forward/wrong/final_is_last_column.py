# says: For a short sentence final is what stands in the last column, where there is only padding:
# either you took the last column, or you set the state itself to 0 at the padding.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = []
    for t in range(inputs.shape[1]):
        real = (t < lengths)[:, None]
        new = torch.tanh(inputs[:, t] @ W_xh + state @ W_hh + b_h)
        state = torch.where(real, new, state)
        states.append(torch.where(real, new, 0.0))
    return torch.stack(states, dim=1), states[-1]
