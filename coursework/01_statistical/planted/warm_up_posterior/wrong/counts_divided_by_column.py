# says: You divided the count by the counts of the column. A row sums to 1 over the English words.
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
    entry = posterior[2, 1] / posterior[1:, 1].sum()
    return [first, sentence, entry]
