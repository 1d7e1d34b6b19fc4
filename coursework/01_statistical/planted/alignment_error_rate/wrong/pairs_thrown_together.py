# says: You throw the links of all sentence pairs into one set. The link (0, 0) of one pair is not
# the link (0, 0) of another.
def alignment_error_rate(links, sure, possible):
    a = {link for pair in links for link in pair}
    s = {link for pair in sure for link in pair}
    p = s | {link for pair in possible for link in pair}
    total = len(a) + len(s)
    return 1 - (len(a & s) + len(a & p)) / total if total else 0.0
