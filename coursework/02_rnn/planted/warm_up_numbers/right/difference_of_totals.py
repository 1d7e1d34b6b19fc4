def warm_up_numbers():
    def parameters(n):
        shapes = [
            (<<vocab>>, <<features>>),
            (<<features>>, n),
            (n, n),
            (n,),
            (n, <<vocab>>),
            (<<vocab>>,),
        ]
        return sum(math.prod(shape) for shape in shapes)

    probs = [0.5**b for b in [*<<bits_first>>, *<<bits_second>>]]
    surprise = -sum(math.log(p) for p in probs) / len(probs)

    h, slope = <<start>>, 0
    for x in (<<x_1>>, <<x_2>>, <<x_3>>):
        h, slope = <<weight>> * h + x, h + <<weight>> * slope
    return [parameters(2 * <<hidden>>) - parameters(<<hidden>>), math.exp(surprise), slope]
