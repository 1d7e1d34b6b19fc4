# says: You stop the whole batch where its shortest sentence ends. Each sentence has a length of its
# own.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = []
    for t in range(inputs.shape[1]):
        real = torch.full_like(lengths, t) < lengths.min()
        new = torch.tanh(inputs[:, t] @ W_xh + state @ W_hh + b_h)
        state = torch.where(real[:, None], new, state)
        states.append(torch.where(real[:, None], new, 0.0))
    return torch.stack(states, dim=1), state
