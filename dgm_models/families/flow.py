"""Normalizing flows: an invertible map between pictures and Gaussian noise, whose Jacobian is known (Rezende and Mohamed, 2015).

Coupling layers (Dinh et al., 2017) in several scales. A layer passes some elements through their distribution functions,
given those that coarser layers made, and on to N(0, 1); it leaves the others alone, so its Jacobian is triangular, and the
determinant a product. The distribution functions are piecewise linear (Mueller et al., 2019), a piece for each 8-bit level.
Dequantized uniformly, a level has a constant density, so the bound that dequantization gives is tight: the density is the mass
of the level.

A picture of which some is seen gets its label first, from a small network that learns p(y | seen) beside the flow: which label the
flow itself prefers would take more particles than a person waits for. Sequential Monte Carlo then draws what is hidden.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.guidance import resample
from dgm_models.measurements import Hide
from dgm_models.networks import fitted
from dgm_models.probability import PART, log_chosen, log_normal, order_keys
from dgm_models.spaces import Space

RECOGNISING = 0.1  # the weight of labels beside a dimension, so that clipped gradients stay those of the flow
EDGE = 1e-15  # how near 0 and 1 a share may come, so that its Gaussian number stays finite


@dataclass(frozen=True)
class FlowSettings(Settings):
    temperature: float = knob(
        0.85, "Temperature", 0.0, 1.5, step=0.05, help="scale of the Gaussian noise; 1: p(x | y) as learned, 0: medians"
    )


@dataclass(frozen=True)
class FlowRestoring(Settings):
    particles: int = knob(16, "Particles", 1, 64, step=1, help="each scale, those are kept whose pictures explain what was seen")
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, advanced=True)


class Flow(Family):
    """Class-conditional. network(levels (n, *shape), labels, layer) -> logits (n, k, levels) of the elements network.parts[layer];
    network.recogniser(signal, seen) -> logits (n, classes) of the labels of what is seen, or it is None."""

    Settings = FlowSettings
    Restoring = FlowRestoring
    restores = (Hide,)
    evidence = "exact"
    code_dtype = torch.float64

    def __init__(self, network: nn.Module, space: Space, classes: int = 0, drop: float = 0.1) -> None:
        super().__init__()
        self.network, self.space, self.condition, self.drop = fitted(network, space.shape), space, Classes(classes), drop
        self.levels, self.parts = network.levels, network.parts

    # training and likelihood ------------------------------------------------------------------------------------------

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Negative log-likelihood a dimension, in nats: the log-determinants of all layers, as cross-entropies of levels; and that of
        the labels of partly seen pictures, of which no gradient reaches the flow."""
        truth = self.labels(y, len(x)).to(x.device)
        y = self.condition.drop(truth, self.drop)
        levels, total = self.space.to_levels(x, self.levels), 0.0
        for layer, (part, share) in enumerate(zip(self.parts, self.network.shares(), strict=True)):
            every = round(1 / share)  # a batch is in no order: every third row is as good as any
            rows = slice(layer % every, None, every)
            logits = self.network(levels[rows], y[rows], layer).float()
            picked = levels[rows].flatten(1)[:, part.to(x.device)]
            total = total + F.cross_entropy(logits.flatten(0, 1), picked.flatten()) * len(part)
        return total / self.space.size + self._confusion(x, truth)

    def _confusion(self, x: Tensor, y: Tensor) -> Tensor | float:
        """Nats by which labels are missed of pictures that are seen in part: any share of them, often whole regions."""
        if self.network.recogniser is None:
            return 0.0
        order = order_keys(len(x), self.space.shape, 0.5, x.device).argsort(1).argsort(1)
        seen = (order < torch.rand(len(x), 1, device=x.device) * self.space.size).view_as(x)
        logits = self.network.recogniser(self.space.to_signal(x), seen).float()
        return RECOGNISING * F.cross_entropy(logits, y, ignore_index=self.classes, reduction="sum") / max(1, int((y < self.classes).sum()))

    @torch.no_grad()
    def layer_log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """What each element adds to log p(x | y), nats of its level, (n, *shape)."""
        self.space.check(x)
        levels, y = self.space.to_levels(x, self.levels), self.labels(y, len(x))
        out = torch.zeros(len(x), self.space.size)
        for start in range(0, len(x), PART):
            some, some_y = levels[start : start + PART], y[start : start + PART]
            for layer, part in enumerate(self.parts):
                out[start : start + PART, part] = log_chosen(self.network(some, some_y, layer).float(), some.flatten(1)[:, part])
        return out.view_as(x)

    def log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Exact nats, (n, *shape) -> (n,): of the 8-bit picture, or the density of a point."""
        return self.layer_log_prob(x, y).flatten(1).sum(1) - self.space.log_width(self.levels)

    # the map, both ways -----------------------------------------------------------------------------------------------

    def to_noise(self, x: Tensor, y: Tensor, within: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Layer by layer, finest first, as (layer, z so far, log |det| of the layer): x (n, *shape) -> z (n, size), doubles.

        `within` (n, size), in (0, 1), is the place of each element in the bin of its level. What is not yet noise is the place
        of x on [0, 1), bins and all.
        """
        levels = self.space.to_levels(x, self.levels).flatten(1)
        z = (levels + within.double()) / self.levels
        for layer in reversed(range(len(self.parts))):
            part = self.parts[layer]
            share, log_share = self._shares(layer, levels.view(x.shape), y)
            own = share.gather(2, levels[:, part, None])[..., 0]
            below = (share.cumsum(2) - share).gather(2, levels[:, part, None])[..., 0]
            noise = torch.special.ndtri((below + own * within[:, part].double()).clamp(EDGE, 1 - EDGE))
            z = z.index_copy(1, part, noise)
            log_own = log_share.gather(2, levels[:, part, None])[..., 0]
            yield layer, z, (log_own + math.log(self.levels) - log_normal(noise)).sum(1)

    def from_noise(self, z: Tensor, y: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Layer by layer, coarsest first, as (layer, levels so far (n, size), place within the bin (n, size), double)."""
        levels, within = torch.zeros(z.shape, dtype=torch.long), torch.full(z.shape, 0.5, dtype=torch.float64)
        for layer, part in enumerate(self.parts):
            share, _ = self._shares(layer, levels.view(-1, *self.space.shape), y)
            self._invert(share, z[:, part], part, levels, within)
            yield layer, levels, within

    def _shares(self, layer: int, levels: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The probability of each level and its log, (n, k, levels), doubles, so that sums invert to the last digits."""
        log_share = self.network(levels, y, layer).double().log_softmax(2)
        return log_share.exp(), log_share

    def _invert(self, share: Tensor, z: Tensor, part: Tensor, levels: Tensor, within: Tensor) -> None:
        """Write the level, and the place within it, whose distribution function is that of z: share (n, k, levels), z (n, k)."""
        chance, above = torch.special.ndtr(z.double()), share.cumsum(2)
        level = torch.searchsorted(above, chance[..., None], right=True).clamp(max=self.levels - 1)
        own, top = share.gather(2, level), above.gather(2, level)
        levels[:, part] = level[..., 0]
        within[:, part] = ((chance[..., None] - top + own) / own.clamp_min(1e-300)).clamp(0, 1)[..., 0]

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: FlowSettings | None = None) -> Iterator[Frame]:
        """From Gaussian noise to a picture, layer by layer."""
        temperature = (settings or self.Settings()).temperature
        yield from self.way_back(temperature * noise.normal(self.space.size), y)

    @torch.no_grad()
    def journey(self, x: Tensor, y: Tensor | None, noise: Noise) -> Iterator[tuple[Frame, int, Tensor, Tensor, Tensor]]:
        """From a picture to Gaussian noise, as (frame, layer, z so far, log |det| of the layer, log N of the noise that it made)."""
        self.space.check(x)
        labels, within = self.labels(y, len(x)), noise.uniform(self.space.size).clamp(1e-6, 1 - 1e-6)
        made = torch.ones(self.space.size, dtype=torch.bool)
        for layer, z, log_det in self.to_noise(x, labels, within):
            part = self.parts[layer]
            made[part] = False
            frame = Frame(self._mixed(z, z.float(), made), f"layer {layer + 1}: {int((~made).sum())} of {self.space.size} are noise")
            yield frame, layer, z, log_det, log_normal(z[:, part]).sum(1)

    @torch.no_grad()
    def way_back(self, z: Tensor, y: Tensor | None = None) -> Iterator[Frame]:
        """From noise (n, size) to the picture that it stands for."""
        made = torch.zeros(self.space.size, dtype=torch.bool)
        yield Frame(self._mixed(z, None, made), f"Gaussian noise, {self.space.size} numbers")
        for layer, levels, within in self.from_noise(z, self.labels(y, len(z))):
            made[self.parts[layer]] = True
            yield Frame(self._mixed(z, self._values(levels, within), made), self._note(layer, made))

    def _note(self, layer: int, made: Tensor) -> str:
        return f"layer {layer + 1} of {len(self.parts)}: {int(made.sum())} of {self.space.size} made"

    def _values(self, levels: Tensor, within: Tensor) -> Tensor:
        return self.space.from_levels(levels, self.levels, within).float()

    def _mixed(self, z: Tensor, values: Tensor | None, made: Tensor) -> Tensor:
        """What is made, and noise elsewhere; as grey, noise is its own distribution function."""
        noise = self.space.shown(z.float())
        return (noise if values is None else torch.where(made, values, noise)).view(-1, *self.space.shape)

    # latents ----------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The noise that makes x, each pixel in the middle of its level's bin: (n, *shape) -> (n, size), double.

        `decode` gives x back exactly, unless it has a level that the model finds less likely than 1e-15 at its place.
        """
        self.space.check(x)
        y, place = self.labels(y, len(x)), self.space.place_in_level(x, self.levels).flatten(1)
        *_, (_, z, _) = self.to_noise(x, y, place)
        return z

    @torch.no_grad()
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The inverse of `encode`, (n, size) -> (n, *shape)."""
        self.check_code(z, (self.space.size,))
        *_, (_, levels, within) = self.from_noise(z, self.labels(y, len(z)))
        return self._values(levels, within).view(-1, *self.space.shape)

    # restoring --------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Hide, noise: Noise, y: Tensor | None = None, settings: FlowRestoring | None = None
    ) -> Iterator[Frame]:
        """A label for what is seen, where none is given; then hidden elements, coarsest first, while the seen ones stay as they have to
        be. Each layer, particles are weighed by how likely the flow finds what is seen there, and resampled (sequential Monte Carlo;
        Gordon et al., 1993): with many of them, samples of p(x | seen, y).
        """
        self.check_measurement(seen, measurement, noise)
        settings = settings or self.Restoring()
        n, size, many = len(noise), self.space.size, settings.particles
        given = measurement.mask.expand(n, *self.space.shape)
        labels = self._draw_labels(self.labels(y, n), seen, given, noise).repeat_interleave(many)
        z, again = settings.temperature * noise.normal(many, size).flatten(0, 1), noise.uniform(len(self.parts))
        given = given.repeat_interleave(many, 0)
        mask, truth = given.flatten(1), self.space.to_levels(seen, self.levels).flatten(1).repeat_interleave(many, 0)
        levels, within = torch.where(mask, truth, 0), torch.full((n * many, size), 0.5, dtype=torch.float64)
        weight, made = torch.zeros(n, many), torch.zeros(size, dtype=torch.bool)
        for layer, part in enumerate(self.parts):
            logits = self.network(levels.view_as(given), labels, layer).float()
            self._invert(logits.double().softmax(2), z[:, part], part, levels, within)
            levels[:, part] = torch.where(mask[:, part], truth[:, part], levels[:, part])
            made[part] = True
            if many > 1:
                weight += (log_chosen(logits, levels[:, part]) * mask[:, part]).sum(1).view(n, many)
                chosen, weight = resample(weight, again[:, layer], finish=layer == len(self.parts) - 1)
                levels, within = levels[chosen], within[chosen]
            first = torch.where(made | mask, self._values(levels, within), self.space.shown(z.float()))[::many]
            answer = first.view(-1, *self.space.shape)
            yield Frame(torch.where(measurement.mask, seen, answer), self._note(layer, made))

    def _draw_labels(self, y: Tensor, seen: Tensor, given: Tensor, noise: Noise) -> Tensor:
        """Where there is no label, one of p(y | seen). Every picture spends a number of its stream, with a label or without."""
        if self.network.recogniser is None:
            return y
        share = self.network.recogniser(self.space.to_signal(seen), given).float().softmax(1)
        return torch.where(y == self.classes, noise.choose(share), y)
