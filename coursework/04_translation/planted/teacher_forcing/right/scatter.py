def teacher_forcing(targets, lengths, bos_id, eos_id, pad_id):
    real = torch.arange(targets.shape[1]) < lengths.unsqueeze(1)
    words = torch.where(real, targets, pad_id)
    labels = torch.nn.functional.pad(words, (0, 1), value=pad_id)
    labels.scatter_(1, lengths.unsqueeze(1), eos_id)
    inputs = torch.nn.functional.pad(words, (1, 0), value=bos_id)
    return [inputs, labels]
