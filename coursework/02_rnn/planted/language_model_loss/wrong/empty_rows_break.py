# says: A row of length 0 breaks your function or your count: n - 1 is then -1, which is no number
# of predictions, and as the end of a slice it means all but the last.
def language_model_loss(logits, ids, lengths):
    total, count = logits.new_zeros(()), 0
    for row, words, n in zip(logits, ids, lengths.tolist(), strict=True):
        log_probs = row[: n - 1].log_softmax(dim=-1)
        total = total - log_probs[torch.arange(n - 1), words[1:n]].sum()
        count += n - 1
    return total / max(count, 1)
