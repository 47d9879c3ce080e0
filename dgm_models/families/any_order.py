"""Any-order autoregressive models: one network for p(x_i | x_S) with any set S seen (Uria et al., 2014; Hoogeboom et al., 2022).

Trained by hiding a random set; sampled by revealing a few pixels at a time, in an order of one's choice. That order may
start from whatever a measurement shows, so the model restores as it samples. It is also diffusion whose noise hides levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Frame, Noise, Settings, knob, last
from dgm_models.families.autoregressive import near_ink
from dgm_models.guidance import infer_labels, weigh_levels
from dgm_models.measurements import Disjoint, Hide, Linear, put_back_in_range
from dgm_models.networks import fitted
from dgm_models.probability import PART, choose_positions, draw, lerp, log_chosen, order_keys, sharpen
from dgm_models.spaces import Space

MOST_CUTS = 1000
HASTE = 2.0  # the share that is known grows as this power of the share of steps: the first pixels decide most, so they come one by one
TOGETHER = 0.85  # correlation of hidden pixels in one block average, of 0.6 to 0.9 alike on 80 digits; with 0 every third is lost
BLOCK = 4  # side of the squares over which an order spreads the pixels that are revealed together


@dataclass(frozen=True)
class AnyOrderSettings(Settings):
    steps: int = knob(16, "Steps", 1, 1000, step=1, help="one evaluation each; pixels that are revealed together do not see each other")
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="divides the logits; 0: always the likeliest level")
    guidance_scale: float = knob(
        1.5, "Guidance scale", 0.0, 6.0, step=0.1, help="1: none; more: follow the label harder, at twice the cost"
    )
    top_p: float = knob(1.0, "Top-p", 0.05, 1.0, step=0.05, help="draw from the likeliest levels that hold this share, no others")


@dataclass(frozen=True)
class AnyOrderRestoring(Settings):
    steps: int = knob(48, "Steps", 1, 1000, step=1)
    label_steps: int = knob(4, "Steps to infer the label", 0, 30, step=1, advanced=True, help="inpainting only; 0: restore without a label")
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, advanced=True)


class AnyOrder(Family):
    """Class-conditional. network(levels (n, *shape), seen, labels, positions (n, k)) -> logits (n, k, levels)."""

    Settings = AnyOrderSettings
    Restoring = AnyOrderRestoring
    restores = (Disjoint,)
    evidence = "lower bound"

    def __init__(
        self, network: nn.Module, space: Space, classes: int = 0, drop: float = 0.1, positions: int = 0, patchy: float = 0.0
    ) -> None:
        """positions: how many of a picture a training step looks at; 0: all. patchy: the share of training orders that go patch by
        patch, so that whole regions are hidden, as no order that is drawn evenly would hide them."""
        super().__init__()
        self.patchy = patchy
        self.network, self.space, self.condition = fitted(network, space.shape), space, Classes(classes)
        self.drop, self.positions = drop, positions
        self.levels = network.levels

    # training and likelihood ------------------------------------------------------------------------------------------

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """The bound of log p a dimension, in nats: mean cross-entropy of what is hidden (Hoogeboom et al., 2022, eq. 4).

        It is a bound whichever the orders are, as long as they do not depend on x.
        """
        n, size = len(x), self.space.size
        y, levels = self.condition.drop(self.labels(y, n).to(x.device), self.drop), self.space.to_levels(x, self.levels)
        spread = (torch.rand(1, device=x.device) + torch.arange(n, device=x.device) / n) % 1  # how many are seen, evenly over a batch
        count = (spread * size).long()[:, None]
        seen = order_keys(n, self.space.shape, self.patchy, x.device).argsort(1).argsort(1) < count
        at, weight = None, (~seen).float()
        if self.positions:
            at, weight = choose_positions(near_ink(levels), self.positions, among=~seen)
        truth = levels.flatten(1) if at is None else levels.flatten(1).gather(1, at)
        logits = self.network(levels, seen.view_as(x), y, at).float()
        losses = F.cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none").view_as(truth)
        return ((losses * weight).sum(1, keepdim=True) / (size - count)).mean()

    @torch.no_grad()
    def log_prob(self, x: Tensor, y: Tensor | None = None, k: int = 16) -> Tensor:
        """An estimate of the lower bound of log p(x | y), nats (n,), from k numbers of seen elements, evenly spread.

        Each is a random order cut there; the mean over all orders is the bound itself. k from 1 to MOST_CUTS; else ValueError.
        """
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_CUTS:
            raise ValueError(f"k: expected 1 to {MOST_CUTS} cuts, got {k!r}")
        self.space.check(x)
        levels, everything = self.space.to_levels(x, self.levels), torch.ones((len(x), self.space.size), dtype=torch.bool)
        return self._bound(levels, everything, [self.labels(y, len(x))], Noise.of(x), k)[:, 0] - self.space.log_width(self.levels)

    def _bound(self, levels: Tensor, among: Tensor, labels: list[Tensor], noise: Noise, k: int) -> Tensor:
        """Estimates of the bound of log p(levels of the elements `among` | labels), nats (n, number of labels), from k cuts that all
        labels share; levels (n, *shape), among (n, size) bool, labels each (n,)."""
        first, size = noise.uniform(1), among.sum(1, keepdim=True)
        total = torch.zeros(len(levels), len(labels))
        for i in range(k):
            count = ((first + i) / k * size).long().minimum(size - 1)
            key = noise.uniform(self.space.size) + (~among).float()  # those that are not asked for come last
            seen = key.argsort(1).argsort(1) < count
            asked = among & ~seen
            for label, y in enumerate(labels):
                parts = zip(levels.split(PART), seen.view_as(levels).split(PART), y.split(PART), strict=True)
                nats = torch.cat([log_chosen(self.network(*part).float(), part[0].flatten(1)) for part in parts])
                total[:, label] += (size * (nats * asked).sum(1, keepdim=True) / (size - count))[:, 0] / k
        return total

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: AnyOrderSettings | None = None) -> Iterator[Frame]:
        """Reveal pixels, several at a step, spread over the picture."""
        settings, n = settings or self.Settings(), len(noise)
        nothing = torch.zeros((n, *self.space.shape), dtype=torch.bool)
        yield from self._reveal(noise, self.labels(y, n), torch.zeros_like(nothing).long(), nothing, settings)

    @torch.no_grad()
    def sample(self, noise: Noise, y: Tensor | None = None, settings: AnyOrderSettings | None = None) -> Tensor:
        """The last frame of the film, without the guesses: it asks for the logits of those pixels alone that are drawn."""
        settings, n = settings or self.Settings(), len(noise)
        nothing = torch.zeros((n, *self.space.shape), dtype=torch.bool)
        return last(self._reveal(noise, self.labels(y, n), torch.zeros_like(nothing).long(), nothing, settings, guess=False)).x

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Disjoint, noise: Noise, y: Tensor | None = None, settings: AnyOrderRestoring | None = None
    ) -> Iterator[Frame]:
        """Samples of p(x | seen, y): seen pixels come first in the order, and where no label was given they call for one. Averages of
        blocks settle the pixels of blocks that are all black or all white, and weigh the levels of the others by what the rest of
        the block leaves (`guidance.weigh_levels`)."""
        self.check_measurement(seen, measurement, noise)
        settings, n, y = settings or self.Restoring(), len(noise), self.labels(y, len(noise))
        sampling = self.Settings(steps=settings.steps, temperature=settings.temperature, guidance_scale=1.0)
        spread, weigh = measurement.pinv(seen), None if isinstance(measurement, Hide) else (seen, measurement)
        levels = self.space.to_levels(spread, self.levels)
        if weigh is None:
            known = measurement.mask.expand(n, *self.space.shape)
            if self.classes and settings.label_steps:
                weigh_labels = partial(self._weigh_labels, steps=settings.label_steps)
                y = infer_labels(weigh_labels, self.classes, self.space, seen, measurement, noise, y)
        else:  # no level is below 0 or above 1, so an average that is 0 or 1 leaves no choice
            half = measurement.gain / (2 * self.levels - 2)
            known = (spread < half) | (spread > 1 - half)
        for frame in self._reveal(noise, y, levels, known, sampling, weigh):
            yield frame._replace(x=put_back_in_range(frame.x, seen, measurement) if frame.guess is None else frame.x)

    def _weigh_labels(self, seen: Tensor, measurement: Hide, noise: Noise, steps: int) -> Tensor:
        """Bounds of log p(seen pixels | label), (m, classes)."""
        among = measurement.mask.expand(len(seen), *self.space.shape).flatten(1)
        labels = [torch.full((len(seen),), label) for label in range(self.classes)]
        return self._bound(self.space.to_levels(seen, self.levels), among, labels, noise, steps)

    def _reveal(
        self,
        noise: Noise,
        y: Tensor,
        levels: Tensor,
        known: Tensor,
        settings: AnyOrderSettings,
        weigh: tuple[Tensor, Linear] | None = None,
        guess: bool = True,
    ) -> Iterator[Frame]:
        """The film from `known` to everything. Each frame's guess is the mean of every pixel given what is known by then; without
        guesses, which takes all rows to know equally many, it is the last frame alone."""
        n, size = len(y), self.space.size
        order = self._order(noise, known.flatten(1))
        chance, within = noise.uniform(size), noise.uniform(size)
        levels, known = levels.flatten(1).clone(), known.flatten(1).clone()
        start = known.sum(1, keepdim=True)
        values = self.space.from_levels(torch.arange(self.levels), self.levels)
        for step in range(settings.steps):
            if known.all():
                break
            until = torch.ceil((size - start) * ((step + 1) / settings.steps) ** HASTE).long()
            until = start + until.clamp_min(step + 1)  # at least one a step
            fresh = (order < until) & ~known
            at = None if guess else fresh.nonzero()[:, 1].view(n, -1)
            logits = self._logits(levels.view(n, *self.space.shape), known.view(n, *self.space.shape), y, at, settings.guidance_scale)
            if weigh:
                logits = weigh_levels(logits, values, levels, known, self.space.shape, *weigh, together=TOGETHER)
            probabilities = sharpen(logits.flatten(0, 1), settings.temperature, settings.top_p)
            if guess:
                x = self._picture(levels, known, within)
                mean = torch.where(known.view_as(x), x, (probabilities @ values).view_as(x))
                yield Frame(x, f"{int(known[0].sum())} of {size} known   step {step + 1} of {settings.steps}", self.space.clamp(mean))
                probabilities = probabilities[fresh.flatten()]
            levels[fresh] = draw(probabilities, chance[fresh])
            known |= fresh
        yield Frame(self._picture(levels, known, within), f"all {size} known")

    def _logits(self, levels: Tensor, known: Tensor, y: Tensor, at: Tensor | None, scale: float) -> Tensor:
        """Guided: away from what they are without the label (Ho and Salimans, 2022, eq. 6, on logits)."""
        logits = self.network(levels, known, y, at).float()
        if scale == 1 or bool((y == self.classes).all()):
            return logits
        without = self.network(levels, known, torch.full_like(y, self.classes), at).float()
        return lerp(without, logits, scale)

    def _order(self, noise: Noise, known: Tensor) -> Tensor:
        """The rank of each element: known ones first, then chance; pixels of one small block far apart from each other."""
        key = noise.uniform(self.space.size)
        if len(self.space.shape) == 3 and not self.space.shape[1] % BLOCK:
            blocks = F.pixel_unshuffle(key.view(-1, *self.space.shape), BLOCK)  # (n, 16, h / 4, w / 4)
            turn = blocks.argsort(1).argsort(1).float()
            key = F.pixel_shuffle(turn, BLOCK).flatten(1) + key
        return (key - 1e3 * known.float()).argsort(1).argsort(1)

    def _picture(self, levels: Tensor, known: Tensor, within: Tensor) -> Tensor:
        """What is known; pixels that are not are black, coordinates 0."""
        return (self.space.from_levels(levels, self.levels, within) * known).view(-1, *self.space.shape)
