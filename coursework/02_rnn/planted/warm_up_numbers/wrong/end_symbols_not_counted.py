# says: You divided by the number of words. The two end symbols were predicted and paid for, so
# they are counted as well.
def warm_up_numbers() -> list[float]:
    d, n, vocab = <<features>>, <<hidden>>, <<vocab>>
    added = d * n + 3 * n**2 + n + n * vocab
    first, second = <<bits_first>>, <<bits_second>>
    bits = first + second
    perplexity = 2 ** (sum(bits) / (len(bits) - 2))
    w, h_0 = <<weight>>, <<start>>
    h_1 = w * h_0 + (<<x_1>>)
    h_2 = w * h_1 + (<<x_2>>)
    slope = h_2 + w * (h_1 + w * h_0)
    return [added, perplexity, slope]
