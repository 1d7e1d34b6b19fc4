# says: The numbers are right, but autograd cannot follow you into NumPy: no gradient comes back at
# all.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    X, h = inputs.detach().numpy(), state.detach().numpy()
    weights = [w.detach().numpy() for w in (W_xh, W_hh, b_h)]
    states = []
    for t in range(X.shape[1]):
        real = t < lengths.numpy()[:, None]
        new = np.tanh(X[:, t] @ weights[0] + h @ weights[1] + weights[2])
        h = np.where(real, new, h)
        states.append(np.where(real, new, 0))
    return torch.from_numpy(np.stack(states, axis=1)), torch.from_numpy(h)
