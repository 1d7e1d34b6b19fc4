def clip_by_norm(grads, limit):
    arrays = [None if g is None else g.numpy().astype(np.float64) for g in grads]
    squares = [np.sum(np.square(a)) for a in arrays if a is not None]
    norm = float(np.sqrt(np.sum(squares)))
    shrink = limit / max(norm, limit)
    return tuple(None if a is None else torch.tensor(a * shrink) for a in arrays), norm
