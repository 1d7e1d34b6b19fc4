# says: Every step starts from the initial state, so no step knows what the step before has read.
# The state must be handed on.
def rnn_forward(inputs, state, W_xh, W_hh, b_h, lengths):
    states = torch.tanh(inputs @ W_xh + (state @ W_hh)[:, None] + b_h)
    everything = torch.cat([state[:, None], states], dim=1)
    final = everything[torch.arange(len(lengths)), lengths]
    real = torch.arange(inputs.shape[1]) < lengths[:, None]
    return torch.where(real[..., None], states, 0.0), final
