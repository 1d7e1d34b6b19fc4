# says: You add a small number to the norm in the denominator, as torch does. A tiny gradient is
# then shortened much too far.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    factor = min(1.0, limit / (norm + 1e-6))
    return [None if g is None else g * factor for g in grads], norm
