"""A residual multilayer perceptron: the network of the models of points in the plane; and linear layers with weights of a given chance."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.residual import Condition


class MLP(nn.Module):
    """(n, size), scalars (n, s), labels (n,) or so many numbers in their place, (n, numbers) -> (n, out)."""

    def __init__(self, size: int, out: int, width: int = 64, depth: int = 3, classes: int = 0, scalars: int = 1, numbers: int = 0) -> None:
        super().__init__()
        self.condition = Condition(width, classes, scalars, numbers)
        self.enter = nn.Linear(size, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.leave = nn.Linear(width, out)

    def forward(self, x: Tensor, scalars: Tensor, y: Tensor) -> Tensor:
        h = self.enter(x) + self.condition(scalars, y)
        for layer in self.layers:
            h = h + layer(F.silu(h))
        return self.leave(F.silu(h))


@torch.no_grad()
def redraw(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the linear layers anew, evenly within 1 / sqrt(inputs) as they come, but from this generator: the rest is as it is."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            for p in (layer.weight, layer.bias):
                p.uniform_(-(layer.in_features**-0.5), layer.in_features**-0.5, generator=generator)
