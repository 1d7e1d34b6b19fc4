# says: You took one alignment for granted, word 1 from word 1 and word 2 from word 2. All nine are
# added up.
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
    sentence = table[1, 0] * table[2, 1]
    entry = posterior[2, 1] / posterior[2].sum()
    return [first, sentence, entry]
