def warm_up_numbers():
    d, n, v = <<features>>, <<hidden>>, <<vocab>>
    added = np.array([d * n, 4 * n * n - n * n, n, n * v]).sum()
    bits = np.array(<<bits_first>> + <<bits_second>>)
    w = np.poly1d([1, 0])
    last = w * (w * (w * <<start>> + <<x_1>>) + <<x_2>>) + <<x_3>>
    return added, np.exp2(bits.mean()), last.deriv()(<<weight>>)
