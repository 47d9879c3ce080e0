"""The regressor of pairs: of all that may go with y the mean, E[x | y]. Not a sample of anything, and that is its lesson."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dgm_models.conditions import Condition
from dgm_models.contracts import Learner
from dgm_models.networks import fitted
from dgm_models.spaces import Space


class Pairs(Learner):
    """network(y as its condition has it) -> x as a signal, (n, *shape)."""

    def __init__(self, network: nn.Module, space: Space, condition: Condition) -> None:
        super().__init__()
        self.network, self.space, self.condition, self.classes = fitted(network, space.shape), space, condition, 0

    @torch.no_grad()
    def mean(self, y: Tensor) -> Tensor:
        """E[x | y] within the space, (n, *shape), for conditions as its data set has them."""
        return self.space.clamp(self.space.from_signal(self.network(self.condition.check(y, len(y)))))

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Mean squared error of the signal; what need not be there of a condition is left out for half of the rows."""
        y = self.condition.drop(self.condition.check(y, len(x)), 0.0)
        return (self.network(y) - self.space.to_signal(x)).square().mean()
