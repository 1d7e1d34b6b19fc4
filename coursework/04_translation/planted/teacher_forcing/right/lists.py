def teacher_forcing(targets, lengths, bos_id, eos_id, pad_id):
    width = targets.shape[1] + 1
    inputs, labels = [], []
    for row, length in zip(targets.tolist(), lengths.tolist()):
        words, rest = row[:length], [pad_id] * (width - length - 1)
        inputs.append([bos_id] + words + rest)
        labels.append(words + [eos_id] + rest)
    return torch.tensor(inputs), torch.tensor(labels)
