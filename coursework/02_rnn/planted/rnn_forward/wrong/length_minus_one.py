# says: You look the final state up at lengths - 1. For a sentence of length 0 that is -1, which
# Python takes for the last column.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = []
    for t in range(inputs.shape[1]):
        state = torch.tanh(inputs[:, t] @ W_xh + state @ W_hh + b_h)
        states.append(state)
    states = torch.stack(states, dim=1)
    final = states[torch.arange(len(lengths)), lengths - 1]
    real = torch.arange(inputs.shape[1]) < lengths[:, None]
    return torch.where(real[..., None], states, 0.0), final
