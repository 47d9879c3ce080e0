"""The weights of a Boltzmann machine in layers: what each layer is told by its neighbours, and how likely states are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GRID = 40  # betas at which labels are evened out
JOINED = 0.4  # of the weights between hidden layers when pairs that learned alone are joined
LOUD = 5.0  # one label against hundreds of pixels: its weights are in this unit, and so learn that much faster


def beta_at(share: float) -> float:
    """The inverse temperature after a share of the way from 0 to 1, ever slower."""
    return 1 - (1 - share) ** 2


def share_at(beta: float) -> float:
    """The inverse of `beta_at`."""
    return 1 - math.sqrt(1 - beta)


class Layers(nn.Module):
    """Layers of binary units, each joined to the next, and above the last a layer of labels, one of which is on.

    The negative energy of states s is sum_l b_l s_l + sum_l (s_l - o_l) W_l (s_(l+1) - o_(l+1)); the offsets o, about where
    units are, make weights and biases learn without each other's noise (Montavon and Müller, 2012). Those of hidden units stay
    at one half unless the layers are centred: then they follow the units (Melchior, Fischer and Wiskott, 2016).

    states: a list of (n, units) in [0, 1], the visible layer first and, with classes, the labels (n, classes) last. `beta`, the inverse
    temperature, in [0, 1] or more scales the energy: at 0 all units are independent, each on as often as its offset says.
    """

    def __init__(self, sizes: Sequence[int], classes: int = 0, centred: bool = False) -> None:
        """sizes: units of the visible and of each hidden layer. centred: `follow` is called at every step of training."""
        super().__init__()
        self.classes, self.centred = classes, centred
        self.sizes = [*sizes, classes] if classes else list(sizes)
        pairs = zip(self.sizes, self.sizes[1:], strict=False)
        self.weights = nn.ParameterList([nn.Parameter(0.01 * torch.randn(below, above)) for below, above in pairs])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(size)) for size in sizes])
        if classes:
            self.telling = nn.Parameter(torch.zeros(classes))  # biases of labels, as learned
        self.register_buffer("rates", torch.full((self.sizes[0],), 0.5))
        self.register_buffer("centres", torch.full((sum(sizes[1:]),), 0.5), persistent=centred)  # of hidden units, all in a row
        double, labels = torch.float64, max(classes, 1)
        self.register_buffer("log_z", torch.zeros((), dtype=double))  # by estimate, of every label alike, and its error
        self.register_buffer("log_z_error", torch.zeros(labels, dtype=double))
        self.register_buffer("evening", torch.zeros(GRID + 1, labels, dtype=double))  # biases of labels that make it alike, beta by beta

    @torch.no_grad()
    def start_at(self, rates: Tensor) -> None:
        """Take how often each visible unit is on, (units,), as offset, as first bias and as what chains start from."""
        self.rates.copy_(rates.clamp(0.001, 0.999))
        self.biases[0].copy_(self.rates.logit())

    def pair(self, below: int) -> Layers:
        """A layer and the next as a machine of their own, under the labels if that is the top: with these weights and biases, shared. A
        hidden layer as the lower one has a fixed bias here, `at_rest`: it is at its offset while the layer above is at its own."""
        labels = self.classes if below + 1 == self.top else 0
        with torch.device("meta"):
            machine = Layers(self.sizes[below : below + 2], labels, self.centred)
        lowest = self.biases[0] if below == 0 else nn.Parameter(self.at_rest(below), requires_grad=False)
        machine.weights = self.weights[below : below + (2 if labels else 1)]
        machine.biases = nn.ParameterList([lowest, self.biases[below + 1]])
        machine.rates, machine.centres = self.offset(below), self.offset(below + 1)
        if labels:
            machine.telling, machine.evening = self.telling, self.evening
        return machine

    @torch.no_grad()
    def join(self) -> None:
        """Weaken what hidden layers say to each other: a pair learned alone to make the lower one what it is, as the pair below it did;
        together they would count that twice."""
        for layer in range(1, self.top):
            self.weights[layer].mul_(JOINED)

    @property
    def top(self) -> int:
        """Which layer is the uppermost hidden one."""
        return len(self.sizes) - (2 if self.classes else 1)

    def is_label(self, layer: int) -> bool:
        return layer > self.top

    def offset(self, layer: int) -> Tensor | float:
        if layer == 0 or self.is_label(layer):
            return self.rates if layer == 0 else 1 / self.classes
        return self.centres.split(self.sizes[1 : self.top + 1])[layer - 1]

    @torch.no_grad()
    def follow(self, states: Sequence[Tensor], share: float = 0.01) -> None:
        """Move the offsets of hidden units that share of the way to the means of states, and biases such that states stay as likely."""
        for layer in range(1, self.top + 1):
            mean = states[layer].mean(0).clamp(0.001, 0.999)
            if torch.distributed.is_available() and torch.distributed.is_initialized():  # machines that train together move alike
                torch.distributed.all_reduce(mean)
                mean /= torch.distributed.get_world_size()
            moved = share * (mean - self.offset(layer))
            above = self.biases[layer + 1] if layer < self.top else self.telling if self.classes else None
            self.biases[layer - 1].add_(self.weight(layer - 1) @ moved)
            if above is not None:
                above.add_(moved @ self.weight(layer))
            self.offset(layer).add_(moved)

    def at_rest(self, layer: int) -> Tensor:
        """The bias by which a unit of the visible or of a hidden layer is on as often as its offset says: (units,)."""
        return self.offset(layer).clamp(0.001, 0.999).logit()

    def weight(self, layer: int) -> Tensor:
        """Between a layer and the next above: (units, units above)."""
        return LOUD * self.weights[layer] if self.is_label(layer + 1) else self.weights[layer]

    def says_up(self, below: Tensor, layer: int) -> Tensor:
        """What the states of the layer below say to a layer: (n, units)."""
        return (below - self.offset(layer - 1)) @ self.weight(layer - 1)

    def told(self, states: Sequence[Tensor], layer: int, pixels_say: Tensor | None = None) -> Tensor:
        """What the neighbours of a layer say to it: (n, units). `pixels_say`: what the visible ones say upward, if that is known."""
        heard: list[Tensor] = []
        if layer > 0:
            heard.append(self.says_up(states[layer - 1], layer) if layer > 1 or pixels_say is None else pixels_say)
        if layer + 1 < len(self.sizes):
            heard.append((states[layer + 1] - self.offset(layer + 1)) @ self.weight(layer).T)
        return sum(heard[1:], heard[0])

    def bias(self, layer: int, beta: float = 1.0) -> Tensor:
        """Of the units of a layer, at an inverse temperature: (units,). They fade from those of units at rest to their own; those of
        labels are, once they are evened out, such that all are equally likely at that beta."""
        if self.is_label(layer):
            at = GRID * share_at(min(beta, 1.0))
            low = min(int(at), GRID - 1)
            evening = torch.lerp(self.evening[low], self.evening[low + 1], at - low).float()
            return beta * self.telling + max(beta, 1.0) * evening
        bias = beta * self.biases[layer]
        return bias if beta >= 1 else bias + (1 - beta) * self.at_rest(layer)

    def chances(self, states: Sequence[Tensor], layer: int, beta: float = 1.0, pixels_say: Tensor | None = None) -> Tensor:
        """How likely each unit of a layer, of the visible or of a hidden one, is on, given its neighbours: (n, units)."""
        return (self.bias(layer, beta) + beta * self.told(states, layer, pixels_say)).sigmoid()

    def forward(
        self,
        visible: Tensor,
        above: Sequence[Tensor],
        draw: Callable[[int, Tensor], Tensor],
        beta: float = 1.0,
        labels: bool = True,
        pixels_say: Tensor | None = None,
    ) -> list[Tensor]:
        """One sweep: every layer anew, given its neighbours, the odd ones and then the even ones; `draw(layer, chances)` says how.

        The label and the top layer are drawn as one, given the layer below them: first the label with the top summed over, for
        else either would hold the other fast. Without `labels` the labels stay; with `pixels_say`, which is what they say to the layer
        above, the visible units do.
        """
        states = [visible, *above]
        layers = range(self.top + 1)
        for layer in [*layers[1::2], *layers[0 if pixels_say is None else 2 :: 2]]:
            if layer == self.top and self.classes:
                now = states[layer + 1]  # which a draw in its own proportion leaves as it is
                if labels:
                    now = (self.label_logits(states[layer - 1], beta) + self.bias(layer + 1, beta)).softmax(1)
                states[layer + 1] = draw(layer + 1, now)
            states[layer] = draw(layer, self.chances(states, layer, beta, pixels_say))
        return states

    def log_weights(self, states: Sequence[Tensor], summed: Collection[int] = (), betas: Sequence[float] = (1.0,)) -> Tensor:
        """log of the unnormalised probability, (n, len(betas)), of the states of all layers but the hidden or visible ones to
        sum over, no two of which may be neighbours; what stands in `states` for those is not looked at."""
        kept = [layer for layer in range(len(self.sizes)) if layer not in summed]
        pairs = [layer for layer in kept if layer + 1 in kept]
        bound = states[0].new_zeros(len(states[0]))
        for layer in pairs:
            above = self.says_up(states[layer], layer + 1)
            bound = bound + (above * (states[layer + 1] - self.offset(layer + 1))).sum(1)
        told = {layer: self.told(states, layer) for layer in summed}
        found = []
        for beta in betas:
            total = beta * bound
            for layer in kept:
                total = total + states[layer] @ self.bias(layer, beta)
            for layer, heard in told.items():
                field = self.bias(layer, beta) + beta * heard
                total = total + F.softplus(field).sum(1) - beta * (heard * self.offset(layer)).sum(1)
            found.append(total)
        return torch.stack(found, dim=1)

    def label_logits(self, below: Tensor, beta: float = 1.0) -> Tensor:
        """log p(label | layer below the top) up to a constant a row, for labels without biases, the top summed over: (n, classes)."""
        says = beta * (torch.eye(self.classes, device=below.device) - self.offset(self.top + 1)) @ self.weight(self.top).T
        field = self.bias(self.top, beta) + beta * (below - self.offset(self.top - 1)) @ self.weight(self.top - 1)
        return F.softplus(field[:, None] + says).sum(2) - (says * self.offset(self.top)).sum(1)

    def log_by_label(self, v: Tensor) -> Tensor:
        """`log_weights` of visible units under every label at once, the one hidden layer summed over: (n, units) -> (n, classes)."""
        heard = self.says_up(v, 1)
        alone = v @ self.bias(0) - (heard * self.offset(1)).sum(1)
        return alone[:, None] + self.label_logits(v) + self.bias(self.top + 1)


def layers_above(visible: int, hidden: Sequence[int], classes: int = 0, centred: bool = False) -> Layers:
    """Layers of hidden units over so many visible ones."""
    return Layers([visible, *hidden], classes, centred)


class Belief(nn.Module):
    """The weights of a deep belief network: a first machine that then draws pictures, recognition, and the machine above."""

    def __init__(self, visible: int, features: int, hidden: int, classes: int = 0) -> None:
        super().__init__()
        self.first, self.above = Layers([visible, features]), Layers([features, hidden], classes)
        self.upward = nn.Parameter(self.first.weights[0].detach().clone())
        self.evaluated = (self.above,)

    @torch.no_grad()
    def tie(self) -> None:
        """Let recognition be what the first machine says upward."""
        self.upward.copy_(self.first.weights[0])

    def features(self, v: Tensor) -> Tensor:
        """How likely each feature is on in pictures v: (n, visible) -> (n, features)."""
        return (self.first.biases[1] + (v - self.first.offset(0)) @ self.upward).sigmoid()

    def pictures(self, features: Tensor) -> Tensor:
        """How likely each pixel is on: (n, features) -> (n, visible)."""
        return self.first.chances([features.new_zeros(0), features], 0)
