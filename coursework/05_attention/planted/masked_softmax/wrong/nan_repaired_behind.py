# says: Your weights are right and your gradient is NaN: a NaN that arises in the softmax and is
# replaced behind it comes back on the way back.
def masked_softmax(scores, mask=None):
    if mask is not None:
        scores = scores + torch.log(mask.to(scores.dtype))
    return torch.softmax(scores, dim=-1).nan_to_num(0.0)
