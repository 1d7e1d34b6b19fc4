# says: You gave the entry of the table. It says what the Chinese word produces; the posterior says
# where *books* came from, and needs Bayes' rule.
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
    first = table[2, 1]
    sentence = np.prod(sums / 3)
    entry = posterior[2, 1] / posterior[2].sum()
    return [first, sentence, entry]
