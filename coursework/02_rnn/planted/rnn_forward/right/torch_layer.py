def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    layer = torch.nn.RNN(inputs.shape[2], len(b_h), batch_first=True)
    layer = layer.to(inputs.dtype)
    weights = {
        "weight_ih_l0": W_xh.T.contiguous(),
        "weight_hh_l0": W_hh.T.contiguous(),
        "bias_ih_l0": b_h,
        "bias_hh_l0": torch.zeros_like(b_h),
    }
    outputs, _ = torch.func.functional_call(layer, weights, (inputs, state[None]))
    mask = torch.arange(inputs.shape[1]) < lengths[:, None]
    place = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, len(b_h))
    final = outputs.gather(1, place)[:, 0]
    final = torch.where((lengths == 0)[:, None], state, final)
    return outputs.masked_fill(~mask[..., None], 0.0), final
