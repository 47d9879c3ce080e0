"""The weights of a Boltzmann machine in layers: what each layer is told by its neighbours, and how likely states are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Layers(nn.Module):
    """Layers of binary units, each joined to the next, and above the last a layer of labels, one of which is on.

    The negative energy of states s is sum_l b_l s_l + sum_l (s_l - o_l) W_l (s_(l+1) - o_(l+1)); the offsets o, about where
    units are at first, make weights and biases learn without each other's noise (Montavon and Müller, 2012).

    states: a list of (n, units) in [0, 1], the visible layer first and, with classes, the labels (n, classes) last. `heat`
    in [0, 1] or more scales the energy: at 0 all units are independent, visible ones by the `base` rates of the data.
    """

    def __init__(self, sizes: Sequence[int], classes: int = 0) -> None:
        """sizes: units of the visible and of each hidden layer."""
        super().__init__()
        self.classes = classes
        self.sizes = [*sizes, classes] if classes else list(sizes)
        pairs = zip(self.sizes, self.sizes[1:], strict=False)
        self.weights = nn.ParameterList([nn.Parameter(0.01 * torch.randn(below, above)) for below, above in pairs])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(size)) for size in self.sizes])
        self.register_buffer("rates", torch.full((self.sizes[0],), 0.5))

    @torch.no_grad()
    def start_at(self, rates: Tensor) -> None:
        """Take how often each visible unit is on, (units,), as offset, as first bias and as what chains start from."""
        self.rates.copy_(rates.clamp(0.001, 0.999))
        self.biases[0].copy_(self.rates.logit())

    @property
    def top(self) -> int:
        """Which layer is the uppermost hidden one."""
        return len(self.sizes) - (2 if self.classes else 1)

    def is_label(self, layer: int) -> bool:
        return layer > self.top

    def offset(self, layer: int) -> Tensor | float:
        return self.rates if layer == 0 else 1 / self.classes if self.is_label(layer) else 0.5

    def told(self, states: Sequence[Tensor], layer: int) -> Tensor:
        """What the neighbours of a layer say to it: (n, units)."""
        heard: list[Tensor] = []
        if layer > 0:
            heard.append((states[layer - 1] - self.offset(layer - 1)) @ self.weights[layer - 1])
        if layer + 1 < len(self.sizes):
            heard.append((states[layer + 1] - self.offset(layer + 1)) @ self.weights[layer].T)
        return sum(heard[1:], heard[0])

    def bias(self, layer: int, heat: float = 1.0) -> Tensor:
        bias = heat * self.biases[layer]
        return bias + (1 - heat) * self.rates.logit() if layer == 0 else bias

    def chances(self, states: Sequence[Tensor], layer: int, heat: float = 1.0) -> Tensor:
        """How likely each unit of a layer is on, given its neighbours: (n, units)."""
        field = self.bias(layer, heat) + heat * self.told(states, layer)
        return field.softmax(1) if self.is_label(layer) else field.sigmoid()

    def log_weights(self, states: Sequence[Tensor], summed: Collection[int] = (), heats: Sequence[float] = (1.0,)) -> Tensor:
        """log of the unnormalised probability, (n, len(heats)), of the states of all layers but those to sum over, no two of
        which may be neighbours; what stands in `states` for those is not looked at."""
        kept = [layer for layer in range(len(self.sizes)) if layer not in summed]
        pairs = [layer for layer in kept if layer + 1 in kept]
        bound = states[0].new_zeros(len(states[0]))
        for layer in pairs:
            above = (states[layer] - self.offset(layer)) @ self.weights[layer]
            bound = bound + (above * (states[layer + 1] - self.offset(layer + 1))).sum(1)
        told = {layer: self.told(states, layer) for layer in summed}
        found = []
        for heat in heats:
            total = heat * bound
            for layer in kept:
                total = total + states[layer] @ self.bias(layer, heat)
            for layer, heard in told.items():
                field = self.bias(layer, heat) + heat * heard
                both = field.logsumexp(1) if self.is_label(layer) else F.softplus(field).sum(1)
                total = total + both - heat * (heard * self.offset(layer)).sum(1)
            found.append(total)
        return torch.stack(found, dim=1)

    def label_logits(self, below: Tensor) -> Tensor:
        """log p(label | the layer below the top one), up to a constant a row, the top summed over: (n, classes)."""
        says = (torch.eye(self.classes) - self.offset(self.top + 1)) @ self.weights[-1].T  # of each label to the top, (classes, units)
        field = self.biases[self.top] + (below - self.offset(self.top - 1)) @ self.weights[self.top - 1]
        total = F.softplus(field[:, None] + says).sum(2) - (says * self.offset(self.top)).sum(1)
        return total + self.biases[-1]
