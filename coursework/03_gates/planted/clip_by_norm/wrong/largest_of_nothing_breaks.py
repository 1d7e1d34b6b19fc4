# says: A tensor without components breaks your function: it has no largest component.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    largest = max((g.double().abs().max().item() for g in there), default=0.0) or 1.0
    norm = largest * math.sqrt(sum((g.double() / largest).square().sum().item() for g in there))
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
