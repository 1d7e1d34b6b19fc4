# says: Your weights are right, but no gradient flows back into the scores: numpy and detach leave
# the graph.
def masked_softmax(scores, mask=None):
    e = scores.detach().numpy().astype(np.float64)
    seen = np.broadcast_to(True if mask is None else mask.numpy(), e.shape)
    top = np.where(seen, e, -1e30).max(axis=-1, keepdims=True)
    powers = np.where(seen, np.exp(np.where(seen, e - top, 0.0)), 0.0)
    total = powers.sum(axis=-1, keepdims=True)
    return torch.from_numpy(powers / np.where(total == 0, 1.0, total)).float()
