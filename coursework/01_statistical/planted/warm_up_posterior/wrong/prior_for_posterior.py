# says: One in three is the probability before the words are looked at. The posterior has seen
# *books*.
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
    first = 1 / 3
    sentence = np.prod(sums / 3)
    entry = posterior[2, 1] / posterior[2].sum()
    return [first, sentence, entry]
