# says: You left the other words of the row what they had. They were not generated here, get no
# count, and so nothing.
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
    entry = posterior[2, 1] * table[2].sum() / posterior[2].sum()
    return [first, sentence, entry]
