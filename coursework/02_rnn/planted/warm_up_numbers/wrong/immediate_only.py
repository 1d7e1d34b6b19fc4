# says: You gave the immediate derivative, with h_2 held fixed. The weight has made h_2 and h_1 too.
def warm_up_numbers() -> list[float]:
    d, n, vocab = <<features>>, <<hidden>>, <<vocab>>
    added = d * n + 3 * n**2 + n + n * vocab
    first, second = <<bits_first>>, <<bits_second>>
    bits = first + second
    perplexity = 2 ** (sum(bits) / len(bits))
    w, h_0 = <<weight>>, <<start>>
    h_1 = w * h_0 + (<<x_1>>)
    h_2 = w * h_1 + (<<x_2>>)
    slope = h_2
    return [added, perplexity, slope]
