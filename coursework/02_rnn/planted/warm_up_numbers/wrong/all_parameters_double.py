# says: You took the whole model to double. Not every tensor has hidden_size in its shape, and one
# has it twice.
def warm_up_numbers() -> list[float]:
    d, n, vocab = <<features>>, <<hidden>>, <<vocab>>
    added = vocab * d + d * n + n**2 + n + n * vocab + vocab
    first, second = <<bits_first>>, <<bits_second>>
    bits = first + second
    perplexity = 2 ** (sum(bits) / len(bits))
    w, h_0 = <<weight>>, <<start>>
    h_1 = w * h_0 + (<<x_1>>)
    h_2 = w * h_1 + (<<x_2>>)
    slope = h_2 + w * (h_1 + w * h_0)
    return [added, perplexity, slope]
