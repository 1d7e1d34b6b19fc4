"""A training whose budget is CPU seconds: for what is compared at equal time.

Imported by our side and by the workers of the peers, so that all are trained by the same loop.
"""

import time

import torch

WARM_UP = 0.1  # share of the budget


def factor(spent):
    """Factor of the learning rate after a share of the budget: up to 1, then down in a line to 0.

    >>> [round(factor(spent), 3) for spent in (0.0, 0.05, 0.1, 0.55, 1.0)]
    [0.001, 0.5, 1.0, 0.5, 0.001]
    """
    return max(0.001, min(spent / WARM_UP, (1 - spent) / (1 - WARM_UP)))


class Training:
    """A model under training; `loss_of` gives the mean loss of a batch and its tokens."""

    def __init__(self, model, batches, loss_of, learning_rate, budget):
        self.model, self.batches, self.loss_of = model, batches, loss_of
        self.learning_rate, self.budget = learning_rate, budget
        self.optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
        self.steps, self.spent = 0, 0.0

    def go_on(self, seconds):
        """Train some seconds more; CPU seconds, target tokens and steps of this call."""
        self.model.train()
        tokens, first, before = 0, self.steps, self.spent
        begin = time.process_time()
        while self.spent - before < seconds:
            for group in self.optimiser.param_groups:
                group["lr"] = self.learning_rate * factor(self.spent / self.budget)
            self.optimiser.zero_grad(set_to_none=True)
            loss, count = self.loss_of(self.model, self.batches[self.steps % len(self.batches)])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimiser.step()
            self.steps += 1
            tokens += int(count)
            self.spent = before + time.process_time() - begin
        return {"seconds": self.spent - before, "tokens": tokens, "steps": self.steps - first}
