def alignment_error_rate(links, sure, possible):
    def numbered(lists):
        return {(b, int(i), int(j)) for b, pair in enumerate(lists) for i, j in pair}

    proposed, certain = numbered(links), numbered(sure)
    allowed = certain.union(numbered(possible))
    size = len(proposed) + len(certain)
    if size == 0:
        return 0.0
    wrong, missed = proposed - allowed, certain - proposed
    return (len(wrong) + len(missed)) / size
