def masked_softmax(scores, mask=None):
    if mask is None:
        return scores.softmax(-1)
    # masked_fill gives hidden scores no gradient, so the NaN of an empty row ends there
    return scores.masked_fill(~mask, float("-inf")).softmax(-1).nan_to_num(0.0)
