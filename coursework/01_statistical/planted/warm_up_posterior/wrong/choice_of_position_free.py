# says: The choice of a position is missing: each word picks one of three, and that has a
# probability.
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
    sentence = np.prod(sums)
    entry = posterior[2, 1] / posterior[2].sum()
    return [first, sentence, entry]
