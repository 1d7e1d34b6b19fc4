# says: You averaged within each sentence first, so a prediction of the short sentence counts more.
# All predictions of the text count alike.
def warm_up_numbers() -> list[float]:
    d, n, vocab = <<features>>, <<hidden>>, <<vocab>>
    added = d * n + 3 * n**2 + n + n * vocab
    first, second = <<bits_first>>, <<bits_second>>
    bits = first + second
    perplexity = 2 ** ((sum(first) / 2 + sum(second) / 4) / 2)
    w, h_0 = <<weight>>, <<start>>
    h_1 = w * h_0 + (<<x_1>>)
    h_2 = w * h_1 + (<<x_2>>)
    slope = h_2 + w * (h_1 + w * h_0)
    return [added, perplexity, slope]
