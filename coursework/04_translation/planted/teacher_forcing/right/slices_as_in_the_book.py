def teacher_forcing(targets, lengths, bos_id, eos_id, pad_id):
    # `<s>` words `</s>` padding; a short row also reads its `</s>`, where nothing counts
    batch, tgt = targets.shape
    full = torch.full((batch, tgt + 2), pad_id, dtype=torch.int64)
    full[:, 0] = bos_id
    for row, length in enumerate(lengths.tolist()):
        full[row, 1 : length + 1] = targets[row, :length]
        full[row, length + 1] = eos_id
    return full[:, :-1], full[:, 1:]
