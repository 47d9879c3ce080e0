"""Layers of binary units by chance: sweeps and chains, mean field, what to learn from, and annealed importance sampling.

What Boltzmann machines and belief networks share. The weights are `networks.boltzmann.Layers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models.contracts import Noise
from dgm_models.networks.boltzmann import GRID, Layers, beta_at
from dgm_models.spaces import Space

LEVELS = 32  # bins of a real number, told apart by 5 bits
PASSES, LEARNING = 20, 5  # rounds of mean field: to measure, and in a step of training
CHAINS, TEMPERATURES = 50, 6000  # of annealed importance sampling, for each label
States = list[Tensor]
Chance = Callable[[int], Tensor]  # so many uniform numbers a row
Hold = Callable[[int, Tensor], Tensor]  # (layer, as drawn) -> as it shall be
Draw = Callable[[int, Tensor], Tensor]  # (layer, chances) -> states


class Chain(Protocol):
    """How a chain runs: so many sweeps, over what share of them the energy is faded in, and what it is divided by at the end."""

    sweeps: int
    annealed: float
    temperature: float


class Moment(NamedTuple):
    """Of a chain: the states of all layers after a sweep, the inverse temperature they were drawn at, and a line on it."""

    states: States
    beta: float
    note: str


class Bits:
    """Elements of a space as units that are on or off: a pixel is on above one half; a real number is the Gray code of its bin."""

    def __init__(self, space: Space) -> None:
        self.space, self.each = space, 1 if space.discrete else (LEVELS - 1).bit_length()
        self.size = space.size * self.each

    def of(self, x: Tensor, by_chance: bool = False) -> Tensor:
        """(n, *shape) -> (n, size), 0 or 1; `by_chance`, a grey pixel is on as often as it is bright, as in Larochelle and Murray, 2011."""
        if self.space.discrete:
            x = x.flatten(1)
            return (torch.rand_like(x) < x).float() if by_chance else (x > 0.5).float()
        level = self.space.to_levels(x.flatten(1), LEVELS)
        code = level ^ (level >> 1)
        return torch.stack([(code >> bit) & 1 for bit in range(self.each)], dim=2).flatten(1).float()

    def back(self, bits: Tensor, within: Tensor | None = None) -> Tensor:
        """Bits, or of pixels the chances that they are on, -> (n, *shape)."""
        if self.space.discrete:
            return bits.view(-1, *self.space.shape)
        code = bits.view(len(bits), -1, self.each).round().long()
        level, above = torch.zeros_like(code[..., 0]), torch.zeros_like(code[..., 0])
        for bit in reversed(range(self.each)):
            above = above ^ code[..., bit]
            level = level | (above << bit)
        return self.space.from_levels(level.view(-1, *self.space.shape), LEVELS, within)

    def rates(self, x: Tensor) -> Tensor:
        """How often each unit is on in data, uint8 levels of pixels or reals (n, *shape): (size,)."""
        return self.space.read(x).mean(0).flatten() if self.space.discrete else self.of(x).mean(0)

    def log_width(self) -> float:
        return self.space.log_width(LEVELS)


# layers by chance -----------------------------------------------------------------------------------------------------


def anyway(layer: int, drawn: Tensor) -> Tensor:
    """Hold nothing."""
    return drawn


def drawing(network: Layers, chance: Chance, hold: Hold = anyway) -> Draw:
    """How a sweep draws a layer: each unit on or off by its chances, of labels exactly one on, but what `hold` keeps."""

    def draw(layer: int, chances: Tensor) -> Tensor:
        if not network.is_label(layer):
            return hold(layer, (chance(chances.shape[1]) < chances).float())
        which = (chance(1) > chances.cumsum(1)).sum(1).clamp(max=network.classes - 1)
        return hold(layer, F.one_hot(which, network.classes).float())

    return draw


def holding(network: Layers, labels: Tensor) -> Hold:
    """Keep the labels (n, classes) that are given; a row of zeros is one that is not."""
    known = labels.sum(1, keepdim=True) > 0
    return lambda layer, drawn: torch.where(known, labels, drawn) if network.is_label(layer) else drawn


def units_of(labels: Tensor, classes: int) -> Tensor:
    """Labels (n,) as units, (n, classes): one is on, or none where the label is `classes`, not known."""
    return F.one_hot(labels, classes + 1)[:, :classes].float()


def all_given(labels: Tensor) -> bool:
    """Whether every row of labels (n, classes) has one; so it is where there are no classes."""
    return not labels.shape[1] or bool((labels.sum(1) == 1).all())


def start(network: Layers, n: int, draw: Draw) -> States:
    """Where chains begin: all units independent, as at beta 0."""
    nothing = [torch.zeros(n, size, device=network.rates.device) for size in network.sizes]
    states = [draw(layer, network.chances(nothing, layer, 0.0)) for layer in range(network.top + 1)]
    if network.classes:
        states.append(draw(network.top + 1, torch.full_like(nothing[-1], 1 / network.classes)))
    return states


def mean_field(network: Layers, v: Tensor, labels: Tensor, passes: int = PASSES) -> States:
    """The factorised distribution over the units that are not given, nearest to theirs given v and the labels (n, classes): means."""
    hold = holding(network, labels)
    rest = [network.offset(layer) * v.new_ones(len(v), size) for layer, size in enumerate(network.sizes) if layer]
    rest = [hold(layer, means) for layer, means in enumerate(rest, start=1)]
    told = all_given(labels)
    settled, pixels_say = network.top == 1 and told, network.says_up(v, 1)
    for _ in range(1 if settled else passes):
        _, *rest = network(v, rest, hold, labels=not told, pixels_say=pixels_say)
    return [v, *rest]


def dream(
    network: Layers, noise: Noise, labels: Tensor, settings: Chain, hold: Hold = anyway, begin: States | None = None
) -> Iterator[Moment]:
    """A chain from units by chance, or from states, with the energy faded in, after each sweep; given labels are held, and what
    `hold` keeps."""
    given = holding(network, labels)
    draw = drawing(network, noise.uniform, lambda layer, drawn: hold(layer, given(layer, drawn)))
    states, final = begin or start(network, len(noise), draw), 1 / max(settings.temperature, 0.01)
    faded, unknown = round(settings.annealed * settings.sweeps), not all_given(labels)
    yield Moment(states, 0.0, f"sweep 0 of {settings.sweeps}" + ("" if begin else ": every unit by chance"))
    for step in range(1, settings.sweeps + 1):
        beta = final * min(1.0, step / (faded + 1))
        states = network(states[0], states[1:], draw, beta, labels=unknown)
        yield Moment(states, beta, f"sweep {step} of {settings.sweeps}" + (f"   energy at {beta:.0%}" if step <= faded else ""))


# learning and measuring -----------------------------------------------------------------------------------------------


class Chains:
    """Chains that go on from one step of training to the next: their states are those of a moment, and saved nowhere."""

    def __init__(self, count: int) -> None:
        self.count, self.states = count, None

    def go_on(self, network: Layers, sweeps: int, begin: States | None = None) -> States:
        """After so many sweeps more. They begin by chance, or with states drawn by the chances in `begin`, as many times over as needed."""
        device = network.rates.device
        draw = drawing(network, lambda units: torch.rand(self.count, units, device=device))
        if begin is not None and self.states is None:
            rows = torch.arange(self.count, device=device) % len(begin[0])
            self.states = [draw(layer, chances[rows]) for layer, chances in enumerate(begin)]
        self.states = self.states or start(network, self.count, draw)
        for _ in range(sweeps):
            self.states = network(self.states[0], self.states[1:], draw)
        return self.states


def contrast(network: Layers, data: States, dreams: States) -> Tensor:
    """Mean energy of data less that of chains, whose even layers are taken by their means: the slope in the weights is that of
    -log p(v, label), with hidden units of the data as they are given v, and chains as all is (Ackley, Hinton, Sejnowski, 1985)."""
    even = range(0, network.top + 1, 2)
    dreams = [network.chances(dreams, layer).detach() if layer in even else state for layer, state in enumerate(dreams)]
    return network.log_weights(dreams).mean() - network.log_weights(data).mean()


def misread(network: Layers, below: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the labels (n, classes) given the layer below the top one, nats; unknown labels cost nothing."""
    return -(labels * (network.label_logits(below) + network.telling).log_softmax(1)).sum(1).mean()


def log_partition(network: Layers, labels: Tensor, temperatures: int, chance: Chance) -> Tensor:
    """Annealed importance sampling (Neal, 2001; Salakhutdinov and Murray, 2008): log-weights of chains with labels (n, classes), at
    GRID + 1 betas from 0 to 1, (GRID + 1, n).

    The mean of their exponentials is an unbiased estimate of Z of that label at that beta. Chains hold the odd layers; the even ones are
    summed over. Heat rises from 0, where Z is known, to 1, ever slower.
    """
    even, draw = list(range(0, network.top + 1, 2)), drawing(network, chance, holding(network, labels))
    states = start(network, len(labels), draw)
    at_rest = sum(float(F.softplus(network.at_rest(layer)).sum()) for layer in range(network.top + 1))
    total = torch.full((len(labels),), at_rest, dtype=torch.float64)
    way, steps = [total.clone()], max(1, temperatures // GRID)
    for step in range(GRID * steps):
        cold, warm = beta_at(step / (GRID * steps)), beta_at((step + 1) / (GRID * steps))
        both = network.log_weights(states, even, (cold, warm)).double()
        total += both[:, 1] - both[:, 0]
        states = network(states[0], states[1:], draw, warm, labels=False)
        if (step + 1) % steps == 0:
            way.append(total.clone())
    return torch.stack(way)


@torch.no_grad()
def balance(network: Layers, chains: int = CHAINS, temperatures: int = TEMPERATURES, seed: int = 0) -> None:
    """Estimate log Z of each label, with its standard error, and give labels the biases that make all equally likely, at every beta."""
    count, generator = max(network.classes, 1), torch.Generator().manual_seed(seed)
    network.evening.zero_()
    labels = torch.eye(count).repeat_interleave(chains, 0)[:, : network.classes]
    way = log_partition(network, labels, temperatures, lambda units: torch.rand(count * chains, units, generator=generator))
    way = way.view(GRID + 1, count, chains)
    log_z = way.logsumexp(2) - math.log(chains)
    network.evening.copy_(log_z.mean(1, keepdim=True) - log_z)
    network.log_z.copy_(log_z[-1].mean())
    network.log_z_error.copy_((way[-1] - log_z[-1, :, None]).exp().std(1) / math.sqrt(chains))  # by the delta method


def protocol(network: Layers) -> dict[str, float | int]:
    """How log Z was estimated, and the largest standard error of it over the labels, in nats."""
    return {
        "ais_chains": CHAINS * max(network.classes, 1),
        "ais_temperatures": TEMPERATURES,
        "log_z_error": float(network.log_z_error.max()),
    }


def log_given(network: Layers, v: Tensor, label: Tensor, draws: int, noise: Noise) -> Tensor:
    """log p(v | label) of bits v (n, units), (n,) nats, but for the error of log Z. With one hidden layer exact; with more a lower
    bound, importance-weighted over so many draws from the mean field (Burda et al., 2016)."""
    labels = units_of(label, network.classes)
    odd, rest = list(range(1, network.top + 1, 2)), [labels] if network.classes else []
    constant = float(network.log_z)
    if network.top == 1:
        return network.log_weights([v, v, *rest], odd)[:, 0] - constant
    means, found = mean_field(network, v, labels), []
    for _ in range(draws):
        states, chosen = list(means), torch.zeros(len(v))
        for layer in range(2, network.top + 1, 2):
            states[layer] = (noise.uniform(network.sizes[layer]) < means[layer]).float()
            chosen = chosen - F.binary_cross_entropy(means[layer], states[layer], reduction="none").sum(1)
        found.append(network.log_weights(states, odd)[:, 0] - chosen)
    return torch.stack(found).logsumexp(0) - math.log(draws) - constant


def log_marginal(network: Layers, v: Tensor, label: Tensor, draws: int, noise: Noise) -> Tensor:
    """`log_given`; where the label is `classes`, none, log of the mean over all labels."""
    classes = network.classes
    if not classes or (network.top > 1 and bool((label < classes).all())):
        return log_given(network, v, label, draws, noise)
    if network.top == 1:
        each = network.log_by_label(v) - float(network.log_z)
    else:
        each = torch.stack([log_given(network, v, torch.full_like(label, k), draws, noise) for k in range(classes)], dim=1)
    mean = each.logsumexp(1) - math.log(classes)
    return torch.where(label == classes, mean, each.gather(1, label.clamp(max=classes - 1)[:, None])[:, 0])
