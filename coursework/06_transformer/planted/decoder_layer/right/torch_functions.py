def decoder_layer(y, memory, seen, w):
    def norm(x, side):
        return F.layer_norm(x, x.shape[-1:], w[side + "_gain"], w[side + "_bias"])

    def attention(side, asks, asked, **options):
        q, k, v = asks @ w[side + "_q"], asked @ w[side + "_k"], asked @ w[side + "_v"]
        return F.scaled_dot_product_attention(q, k, v, **options) @ w[side + "_o"]

    u = norm(y, "self")
    y = y + attention("self", u, u, is_causal=True)
    y = y + attention("cross", norm(y, "cross"), memory, attn_mask=seen[:, None, :])
    hidden = F.linear(norm(y, "net"), w["W_1"].T, w["b_1"])
    return y + F.linear(F.relu(hidden), w["W_2"].T, w["b_2"])
