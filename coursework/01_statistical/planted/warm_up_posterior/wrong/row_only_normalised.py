# says: You divided the old entries by the sum of their row. The M step divides expected counts,
# that is, posteriors.
def warm_up_posterior() -> list[float]:
    table = np.array(
        [
            [<<null_buy>>, <<null_books>>],
            [<<mai_buy>>, <<mai_books>>],
            [<<shu_buy>>, <<shu_books>>],
        ]
    )
    sums = table.sum(axis=0)
    posterior = table / sums
    first = posterior[2, 1]
    sentence = np.prod(sums / 3)
    entry = table[2, 1] / table[2].sum()
    return [first, sentence, entry]
