# says: You clip each tensor by its own norm. That changes their proportion, and with it the
# direction.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    clipped = []
    for g in grads:
        if g is None:
            clipped.append(None)
            continue
        own = math.sqrt(g.double().square().sum().item())
        clipped.append(g * (limit / own if own > limit else 1.0))
    return clipped, norm
