# says: You return the share of wrong links. Sure links that nobody proposed are errors, too.
def alignment_error_rate(links, sure, possible):
    in_s = in_p = n_a = n_s = n_p = 0
    for b in range(len(links)):
        a, s = set(links[b]), set(sure[b])
        p = s | set(possible[b])
        in_s, in_p = in_s + len(a & s), in_p + len(a & p)
        n_a, n_s, n_p = n_a + len(a), n_s + len(s), n_p + len(p)
    if n_a + n_s == 0:
        return 0.0
    return 1 - in_p / n_a if n_a else float(n_s > 0)
