def gru_step(x, h, W_xh, W_hh, b_x, b_h):
    def translate(weights):
        z, r, candidate = weights.chunk(3, dim=-1)
        return torch.cat([r, -z, candidate], dim=-1)  # 1 - sigmoid(a) = sigmoid(-a)

    cell = torch.nn.GRUCell(x.shape[1], h.shape[1]).to(x.dtype)
    weights = {
        "weight_ih": translate(W_xh).T,
        "weight_hh": translate(W_hh).T,
        "bias_ih": translate(b_x),
        "bias_hh": translate(b_h),
    }
    return torch.func.functional_call(cell, weights, (x, h))
