# says: This is the probability of the sentence with its best alignment. The sentence alone has the
# sum over all nine.
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
    sentence = np.prod(table.max(axis=0) / 3)
    entry = posterior[2, 1] / posterior[2].sum()
    return [first, sentence, entry]
