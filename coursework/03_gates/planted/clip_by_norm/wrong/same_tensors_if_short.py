# says: Where nothing is clipped you return the tensors that were given to you, not new ones. Who
# writes into your result then changes them.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    if norm <= limit:
        return list(grads), norm
    factor = limit / norm
    return [None if g is None else g * factor for g in grads], norm
