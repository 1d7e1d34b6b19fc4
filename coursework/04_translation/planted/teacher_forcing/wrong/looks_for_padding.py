# says: You look for `pad_id` to find where a sentence ends. What stands behind the words
# may be anything: the lengths say it.
def teacher_forcing(targets, lengths, bos_id, eos_id, pad_id):
    batch, tgt = targets.shape
    one = torch.ones(batch, 1, dtype=torch.int64)
    inputs = torch.cat([bos_id * one, targets], dim=1)
    labels = torch.cat([targets, pad_id * one], dim=1)
    places, ends = torch.arange(tgt + 1), (targets != pad_id).sum(1, keepdim=True)
    inputs = inputs.masked_fill(places > ends, pad_id)
    labels = labels.masked_fill(places > ends, pad_id)
    labels = labels.masked_fill(places == ends, eos_id)
    return inputs, labels
