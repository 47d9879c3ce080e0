"""The chance of each binary unit given those before it, by one hidden layer that is added to unit by unit (Larochelle and Murray, 2011)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dgm_models.networks.boltzmann import Layers

BLOCK = 28  # units whose hidden layers are held at once: a block stays in the cache of a CPU


class Told(nn.Module):
    """The logit of one unit from what the hidden layer hears (n, hidden), by its weights (hidden,) and its bias: (n,)."""

    def forward(self, heard: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        return (heard.sigmoid() - 0.5) @ weights + bias


class NADE(nn.Module):
    """Of `units` in their order, with a label or without classes. Hidden units start at what the label says; each unit that is known
    adds its part, and the next one is told by them. `rates` are how often units are on, the offset from which they are told."""

    def __init__(self, units: int, hidden: int, classes: int = 0) -> None:
        super().__init__()
        self.units, self.hidden = units, hidden
        self.enter = nn.Parameter(0.01 * torch.randn(units, hidden))
        self.leave = nn.Parameter(0.01 * torch.randn(units, hidden))
        self.bias, self.start = nn.Parameter(torch.zeros(units)), nn.Parameter(torch.zeros(hidden))
        self.label = nn.Parameter(0.01 * torch.randn(max(classes, 1), hidden))
        self.register_buffer("rates", torch.full((units,), 0.5))
        self.unit = Told()
        self.evaluated = (self.unit,)

    @torch.no_grad()
    def start_at(self, machine: Layers) -> None:
        """Begin as a restricted Boltzmann machine would guess in one round of mean field; it needs as many hidden units."""
        self.rates.copy_(machine.rates)
        self.enter.copy_(machine.weight(0))
        self.leave.copy_(machine.weight(0))
        self.bias.copy_(machine.bias(0))
        self.start.copy_(machine.bias(1))
        if machine.classes:
            self.label.copy_((torch.eye(machine.classes) - machine.offset(2)) @ machine.weight(1).T)

    def begin(self, y: Tensor) -> Tensor:
        """What the hidden layer hears before any unit is known, labels (n,) -> (n, hidden)."""
        return self.start + self.label[y]

    def told(self, heard: Tensor, unit: int) -> Tensor:
        """The logit of one unit, (n, hidden) -> (n,)."""
        return self.unit(heard, self.leave[unit], self.bias[unit])

    def hear(self, heard: Tensor, unit: int, drawn: Tensor) -> Tensor:
        """What the hidden layer hears with one unit more, which is as drawn, (n,)."""
        return heard + (drawn - self.rates[unit])[:, None] * self.enter[unit]

    def forward(self, v: Tensor, y: Tensor) -> Tensor:
        """The logits of all units of v (n, units), each given those before it and the label (n,): (n, units)."""
        heard, found = self.begin(y), []
        for apart, enter, leave in zip((v - self.rates).split(BLOCK, 1), self.enter.split(BLOCK), self.leave.split(BLOCK), strict=True):
            before = apart[:, None] * torch.ones(apart.shape[1], apart.shape[1], device=v.device).tril(-1)  # row i: units before i
            found.append(torch.einsum("nuh,uh->nu", (heard[:, None] + before @ enter).sigmoid(), leave) - 0.5 * leave.sum(1))
            heard = heard + apart @ enter
        return torch.cat(found, dim=1) + self.bias
