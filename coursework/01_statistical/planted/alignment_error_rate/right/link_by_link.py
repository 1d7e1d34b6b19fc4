def alignment_error_rate(links, sure, possible):
    right = size = 0
    for b, proposed in enumerate(links):
        met = []
        for link in proposed:
            if link in met:
                continue
            met.append(link)
            size += 1
            if link in sure[b]:
                right += 2
            elif link in possible[b]:
                right += 1
        size += len(dict.fromkeys(sure[b]))
    return (size - right) / max(size, 1)
