# says: In the expected counts NULL is missing. It takes its share of both words.
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
    counts = table[2] / table[1:].sum(axis=0)
    entry = counts[1] / counts.sum()
    return [first, sentence, entry]
