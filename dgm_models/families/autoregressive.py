"""Autoregressive models: p(x) = prod_i p(x_i | x_1 .. x_(i-1)), each factor a network's softmax over levels
(Larochelle and Murray, 2011; van den Oord et al., 2016).

Pictures are their 8-bit levels in raster order, so log p is exact. Points are cut into bins, and lie evenly within one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models.conditions import NOTHING, Condition
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.guidance import resample
from dgm_models.measurements import Hide
from dgm_models.networks import fitted
from dgm_models.networks.raster import Causal, Prefix
from dgm_models.probability import PART, choose_positions, draw, lerp, log_chosen, sharpen
from dgm_models.spaces import Space


@dataclass(frozen=True)
class AutoregressiveSettings(Settings):
    temperature: float = knob(0.95, "Temperature", 0.0, 1.5, step=0.05, help="divides the logits; 0: always the likeliest level")
    guidance_scale: float = knob(
        1.8, "Guidance scale", 0.0, 6.0, step=0.1, help="1: none; more: follow the label harder, at twice the cost"
    )
    top_p: float = knob(1.0, "Top-p", 0.05, 1.0, step=0.05, help="draw from the likeliest levels that hold this share, no others")
    frames: int = knob(29, "Frames of the film", 2, 785, step=1, advanced=True)


@dataclass(frozen=True)
class AutoregressiveRestoring(Settings):
    particles: int = knob(1, "Particles", 1, 64, step=1, help="1: blind to what is seen below; more: guesses that it refutes die out")
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, advanced=True)


class Autoregressive(Family):
    """Class-conditional. network(levels (n, *shape), labels, positions (n, k)) -> logits (n, k, levels); see `Causal`."""

    Settings = AutoregressiveSettings
    Restoring = AutoregressiveRestoring
    restores = (Hide,)
    evidence = "exact"

    def __init__(self, network: Causal, space: Space, condition: Condition = NOTHING, drop: float = 0.1, positions: int = 0) -> None:
        """positions: how many of a picture a training step looks at; 0: all."""
        super().__init__()
        self.network, self.space, self.condition = fitted(network, space.shape), space, condition
        self.drop, self.positions = drop, positions
        self.levels = network.levels

    # training and likelihood ------------------------------------------------------------------------------------------

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Negative log p a dimension, in nats; from a weighted choice of positions where the recipe says so."""
        y, levels = self.condition.drop(self.labels(y, len(x)).to(x.device), self.drop), self.space.to_levels(x, self.levels)
        at, weight = choose_positions(near_ink(levels), self.positions) if self.positions else (None, 1.0)
        truth = levels.flatten(1) if at is None else levels.flatten(1).gather(1, at)
        logits = self._logits(levels, y, at)
        losses = F.cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none")
        return (losses.view(len(x), -1) * weight).sum() / x.numel()

    def _logits(self, levels: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        """Of the elements at these places, or of all, given those before them, (n, k, levels)."""
        before = F.pad(levels.flatten(1), (1, 0), value=-1)[:, :-1]
        return self.space.settled(self.network(levels, y, at).float(), before if at is None else before.gather(1, at))

    @torch.no_grad()
    def pixel_log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """What each pixel adds to log p(x | y), in nats, (n, *shape)."""
        self.space.check(x)
        parts = zip(self.space.to_levels(x, self.levels).split(PART), self.labels(y, len(x)).split(PART), strict=True)
        nats = [log_chosen(self._logits(some, some_y), some.flatten(1)) for some, some_y in parts]
        return torch.cat(nats).view_as(x)

    def log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Exact nats, (n, *shape) -> (n,): of the 8-bit picture, or the density of a point."""
        return self.pixel_log_prob(x, y).flatten(1).sum(1) - self.space.log_width(self.levels)

    @torch.no_grad()
    def next_probabilities(self, x: Tensor, y: Tensor | None = None, settings: AutoregressiveSettings | None = None) -> Tensor:
        """p(x_i | what is before it) at every i, unguided, (n, size, levels); each row sums to 1."""
        settings = settings or self.Settings()
        logits = self._logits(self.space.to_levels(self.space.check(x), self.levels), self.labels(y, len(x)))
        return sharpen(logits.flatten(0, 1), settings.temperature, settings.top_p).view_as(logits)

    def receptive_field(self, x: Tensor, at: int, y: Tensor | None = None) -> Tensor:
        """How much the log-probability of pixel `at` (raster index) moves with each other pixel: |gradient|, like x[:1]."""
        with torch.enable_grad():
            levels = self.space.to_levels(self.space.check(x[:1]), self.levels)
            rows = levels.flatten(1, 2)
            told = self.network.table[rows].detach().requires_grad_()
            hit = F.one_hot(rows, self.levels).to(told.dtype).sum(2)
            logits = self.network.look(told, hit, self.labels(y, len(x))[:1], torch.tensor([[at]]))
            chosen = logits.log_softmax(2)[0, 0, levels.flatten()[at]]
            (slope,) = torch.autograd.grad(chosen, told)
        return slope.norm(dim=3).view_as(x[:1])

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: AutoregressiveSettings | None = None) -> Iterator[Frame]:
        """The picture, pixel by pixel; a frame at every so many pixels."""
        settings, size = settings or self.Settings(), self.space.size
        chance, within = noise.uniform(size), noise.uniform(size)
        y, n = self.labels(y, len(noise)), len(noise)
        scale = self.guidance(settings)
        guided = scale != 1 and not bool(self.condition.is_null(y).all())
        prefix = self.network.begin(torch.cat([y, self.condition.null(len(y)).to(y.device)]) if guided else y)
        shown = {round(i * size / (settings.frames - 1)) for i in range(settings.frames)}
        for at in range(size):
            if at in shown:
                yield Frame(self._picture(prefix.levels[:n], at, within), self._note(at))
            logits = self.network.predict(prefix)
            if guided:  # each picture has two rows, with its label and without (Ho and Salimans, 2022, eq. 6, on logits)
                with_label, without = logits.chunk(2)
                logits = lerp(without, with_label, scale)
            logits = self._settled(logits, prefix, n)
            level = draw(sharpen(logits, settings.temperature, settings.top_p), chance[:, at])
            self.network.append(prefix, torch.cat([level, level]) if guided else level)
        yield Frame(self._picture(prefix.levels[:n], size, within), f"all {size} drawn, each given those before it")

    def guidance(self, settings: AutoregressiveSettings) -> float:
        """How hard samples follow their label; 1 where nothing guides."""
        return settings.guidance_scale

    def _settled(self, logits: Tensor, prefix: Prefix, n: int) -> Tensor:
        """The next element's logits (n, levels), without what cannot follow."""
        before = prefix.levels[:n, prefix.at - 1] if prefix.at else torch.full((n,), -1)
        return self.space.settled(logits[:, None], before[:, None])[:, 0]

    def _picture(self, levels: Tensor, at: int, within: Tensor) -> Tensor:
        """The elements before `at`, and blanks for those that are still to come."""
        x = self.space.from_levels(levels, self.levels, within)
        x[:, at:] = self.space.blank
        return x.view(-1, *self.space.shape)

    def _note(self, at: int) -> str:
        return f"{self.space.unit} {at} of {self.space.size}"

    def sample(self, noise: Noise, y: Tensor | None = None, settings: AutoregressiveSettings | None = None) -> Tensor:
        """The last frame, without the others."""
        return super().sample(noise, y, replace(settings or self.Settings(), frames=2))

    # restoring --------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Hide, noise: Noise, y: Tensor | None = None, settings: AutoregressiveRestoring | None = None
    ) -> Iterator[Frame]:
        """Draw the hidden pixels in raster order and clamp the seen ones.

        One particle knows only what is above and at its left. Several are weighed by how likely they find the seen pixels
        that they come across, and resampled after each row (sequential Monte Carlo; Gordon et al., 1993): with many of
        them, samples of p(x | seen, y).
        """
        self.check_measurement(seen, measurement, noise)
        settings = settings or self.Restoring()
        n, size, many, across = len(noise), self.space.size, settings.particles, self.space.shape[-1]
        chance, again = noise.uniform(many, size).flatten(0, 1), noise.uniform(size // across)
        mask = measurement.mask.expand(n, *self.space.shape).reshape(n, size).repeat_interleave(many, 0)
        truth = self.space.to_levels(seen, self.levels).flatten(1).repeat_interleave(many, 0)
        prefix = self.network.begin(self.labels(y, n).repeat_interleave(many, 0))
        weight = torch.zeros(n, many)
        for at in range(size):
            if at % across == 0:
                yield Frame(self._answer(prefix, truth, mask, many, seen), f"row {at // across + 1}: hidden pixels given those above")
            logits = self._settled(self.network.predict(prefix), prefix, n * many)
            drawn = draw(sharpen(logits, settings.temperature, 1.0), chance[:, at])
            level = torch.where(mask[:, at], truth[:, at], drawn)
            self.network.append(prefix, level)
            if many > 1:
                fits = logits.log_softmax(1).gather(1, level[:, None])[:, 0]
                weight += torch.where(mask[:, at], fits, 0).view(n, many)
                if (at + 1) % across == 0:
                    chosen, weight = resample(weight, again[:, at // across], finish=at == size - 1)
                    prefix = prefix.rows(chosen)
        yield Frame(self._answer(prefix, truth, mask, many, seen), "every hidden pixel drawn")

    def _answer(self, prefix: Prefix, truth: Tensor, mask: Tensor, many: int, seen: Tensor) -> Tensor:
        """The first particle of each, seen pixels to the last bit."""
        x = self.space.from_levels(torch.where(mask, truth, prefix.levels), self.levels)[::many].view(-1, *self.space.shape)
        return torch.where(mask[::many].view_as(x), seen, x)


def near_ink(levels: Tensor) -> Tensor:
    """Where a picture is not plain background: (n, c, h, w) -> bool (n, c h w)."""
    return F.max_pool2d((levels > 0).float(), 3, stride=1, padding=1).flatten(1) > 0
