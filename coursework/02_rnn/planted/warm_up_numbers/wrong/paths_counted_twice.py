# says: Total times total: a path that runs through several states was counted at each of them. One
# factor of each product must be the immediate derivative.
def warm_up_numbers() -> list[float]:
    d, n, vocab = <<features>>, <<hidden>>, <<vocab>>
    added = d * n + 3 * n**2 + n + n * vocab
    first, second = <<bits_first>>, <<bits_second>>
    bits = first + second
    perplexity = 2 ** (sum(bits) / len(bits))
    w, h_0 = <<weight>>, <<start>>
    h_1 = w * h_0 + (<<x_1>>)
    h_2 = w * h_1 + (<<x_2>>)
    slope = h_2 + 2 * w * h_1 + 3 * w**2 * h_0
    return [added, perplexity, slope]
