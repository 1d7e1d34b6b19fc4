# says: You put a zero where None was. A parameter that the loss did not touch has no gradient,
# which is not the same as a gradient of zero.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    factor = limit / norm if norm > limit else 1.0
    zero = torch.zeros(())
    return [zero if g is None else g * factor for g in grads], norm
