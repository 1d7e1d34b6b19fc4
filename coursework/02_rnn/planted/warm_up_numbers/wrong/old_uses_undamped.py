# says: You added up what the weight was multiplied with at each step, as if each use reached the
# loss directly. An early use must pass the later steps.
def warm_up_numbers() -> list[float]:
    d, n, vocab = <<features>>, <<hidden>>, <<vocab>>
    added = d * n + 3 * n**2 + n + n * vocab
    first, second = <<bits_first>>, <<bits_second>>
    bits = first + second
    perplexity = 2 ** (sum(bits) / len(bits))
    w, h_0 = <<weight>>, <<start>>
    h_1 = w * h_0 + (<<x_1>>)
    h_2 = w * h_1 + (<<x_2>>)
    slope = h_2 + h_1 + h_0
    return [added, perplexity, slope]
