def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = torch.einsum("btq,qh->bth", queries.double(), w_q.double())
    shown = torch.einsum("bsk,kh->bsh", keys.double(), w_k.double())
    block = torch.tanh(asked.unsqueeze(2) + shown.unsqueeze(1) + b.double())
    return torch.einsum("btsh,h->bts", block, w_a.double())
