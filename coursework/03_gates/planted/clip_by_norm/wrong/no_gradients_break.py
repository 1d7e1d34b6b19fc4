# says: A list without any component breaks your function. Its norm is 0.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    flat = torch.stack([g.double().square().sum() for g in there])
    norm = flat.sum().sqrt().item()
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
