def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = torch.zeros(*inputs.shape[:2], len(b_h), dtype=inputs.dtype)
    final = state.clone()
    for b in range(inputs.shape[0]):
        h = state[b]
        for t in range(int(lengths[b])):
            h = torch.tanh(inputs[b, t] @ W_xh + h @ W_hh + b_h)
            states[b, t] = h
        final[b] = h
    return states, final
