def cell_path_gradient(forget_gates):
    batch, time, n = forget_gates.shape
    lag = torch.arange(time + 1)[:, None]
    crossed = torch.arange(time)[None] >= time - lag  # lag, time
    wide = forget_gates[:, None].expand(batch, time + 1, time, n)
    wide = torch.where(crossed[None, :, :, None], wide, torch.ones_like(wide))
    return wide.prod(dim=2)
