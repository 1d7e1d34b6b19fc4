# says: NULL is missing from the sentence's probability, in the sums and in the number of
# positions.
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
    sentence = np.prod(table[1:].sum(axis=0) / 2)
    entry = posterior[2, 1] / posterior[2].sum()
    return [first, sentence, entry]
