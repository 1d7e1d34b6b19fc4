def teacher_forcing(targets, lengths, bos_id, eos_id, pad_id):
    # the inputs keep whatever stood in the padding: nothing is predicted there
    labels = torch.cat([targets, targets[:, :1]], dim=1)
    inputs = labels.roll(1, dims=1)
    inputs[:, 0] = bos_id
    for row in range(len(labels)):
        end = int(lengths[row])
        labels[row, end] = eos_id
        labels[row, end + 1 :] = pad_id
    return inputs, labels
