# says: A gradient of zeros becomes NaN: 0 / 0 is no factor.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    shorter = min(norm, limit)
    length = torch.tensor(norm)
    return [None if g is None else g / length * shorter for g in grads], norm
