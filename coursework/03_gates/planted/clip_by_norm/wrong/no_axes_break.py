# says: A tensor without axes breaks your function: it has no rows to go through.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    squares = [row.double().square().sum().item() for g in there for row in g]
    norm = math.sqrt(sum(squares))
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
