def warm_up_counts():
    layers, width, heads, hidden = <<n_layers>>, <<d>>, <<n_heads>>, <<d_ff>>
    targets, sources = <<tgt>>, <<src>>
    linear = lambda inputs, outputs: (inputs + 1) * outputs
    size = width // heads
    attention = heads * 3 * linear(width, size) + linear(heads * size, width)
    network = linear(width, hidden) + linear(hidden, width)
    norms = 3 * (width + width)
    queries = targets * width * width
    keys = values = sources * width * width
    scores = heads * targets * sources * size
    return (
        attention + attention + network + norms,
        queries + keys + values + scores + scores + queries,
        sum(heads * targets * asked for asked in (targets, sources)),
        layers * 2 * heads * targets * size,
    )
