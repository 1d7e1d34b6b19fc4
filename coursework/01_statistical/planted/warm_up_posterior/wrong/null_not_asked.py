# says: NULL was not asked. It is a third position that *books* may have come from.
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
    first = table[2, 1] / table[1:, 1].sum()
    sentence = np.prod(sums / 3)
    entry = posterior[2, 1] / posterior[2].sum()
    return [first, sentence, entry]
