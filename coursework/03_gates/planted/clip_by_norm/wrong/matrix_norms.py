# says: For a matrix you took its largest singular value. A gradient is one long vector, and its
# norm counts every component.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norms = []
    for g in there:
        plain = g.ndim != 2 or g.numel() == 0
        norms.append(g.double().norm() if plain else torch.linalg.matrix_norm(g.double(), ord=2))
    norm = math.sqrt(sum(float(length) ** 2 for length in norms))
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
