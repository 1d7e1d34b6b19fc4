# says: This is the expected count. The M step divides it by the sum of its row.
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
    entry = posterior[2, 1]
    return [first, sentence, entry]
