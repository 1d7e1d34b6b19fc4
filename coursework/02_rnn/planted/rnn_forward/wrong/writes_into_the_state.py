# says: You write each new state into the tensor that you were given. The caller still needs his
# initial state.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = inputs.new_zeros(*inputs.shape[:2], len(b_h))
    for t in range(inputs.shape[1]):
        real = t < lengths
        new = torch.tanh(inputs[:, t] @ W_xh + state @ W_hh + b_h)
        state[real] = new[real]
        states[real, t] = new[real]
    return states, state
