# says: Your function breaks at a sentence of length 0: there is no row to stack or to take the
# last of, and packed sequences refuse it. It has read nothing, and keeps its initial state.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = inputs.new_zeros(*inputs.shape[:2], len(b_h))
    final = []
    for b, length in enumerate(lengths.tolist()):
        rows, h = [], state[b]
        for t in range(length):
            h = torch.tanh(inputs[b, t] @ W_xh + h @ W_hh + b_h)
            rows.append(h)
        states[b, :length] = torch.stack(rows)
        final.append(rows[-1])
    return states, torch.stack(final)
