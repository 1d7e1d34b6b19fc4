def warm_up_numbers():
    odds = np.array([<<odds_1>>, <<odds_2>>, <<odds_3>>], dtype=float)
    log_f = -np.log1p(1 / odds)
    one = <<start>> * np.exp(log_f.sum())
    two = one + <<gate>> * <<candidate>> * np.exp(log_f[-1])
    kept = np.exp(<<steps>> * np.log1p(-<<replaced>>))
    return np.array([one, two, kept * <<state>> + (1 - kept) * <<towards>>])
