"""Translating pictures into the other of two kinds, and back again: what changed, and what was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.receipt import Receipt, measured

EMOJI, HANDS = "cycle-emoji", "cycle-hands"
WEIGHTS = {"as trained": EMOJI, "little": "cycle-little-emoji", "none": "cycle-none-emoji"}  # of the way there and back
STYLE, LABEL = "reader-emoji", "reader-usps"
MOST = 512  # pictures at once


@dataclass(frozen=True)
class There:
    """Pictures x as the other kind, y, and those as the first one again, back: each (n, *shape)."""

    x: Tensor
    y: Tensor
    back: Tensor
    receipt: Receipt

    @property
    def error(self) -> Tensor:
        """How far the way there and back is off, in each pixel, twice over so that it can be seen, (n, *shape) in [0, 1]."""
        return (2 * (self.back - self.x).abs().amax(1, keepdim=True)).clamp(0, 1).expand_as(self.x)


def there_and_back(id: str, x: Tensor, to: int) -> There:
    """Pictures (n, *shape) in [0, 1] into the kind `to`, 0 or 1, and back. ValueError for too many."""
    if not 1 <= len(x) <= MOST:
        raise ValueError(f"Pictures: expected 1 to {MOST} at once, got {len(x)}")
    loaded = catalog.open_model(id)
    with measured(loaded, catalog.recipe(id).title, 0, len(x)) as receipt:
        y = loaded.model.translate(x, to)
        back = loaded.model.translate(y, 1 - to)
    return There(x, y, back, receipt)


def pairs() -> tuple[Tensor, Tensor]:
    """The held-out emoji in both styles, in the same order, each (n, 3, 32, 32) in [0, 1]."""
    data = catalog.dataset(EMOJI)
    x, style = data.shown()
    x = data.space.read(x)
    return x[style == 0], x[style == 1]


def partner(x: Tensor, to: int) -> int | None:
    """Which of the held-out emoji a picture (1, 3, 32, 32) of the other style is; None for one that is none of them."""
    hits = ((pairs()[1 - to] - x).abs().flatten(1).amax(1) < 1e-6).nonzero()
    return int(hits[0]) if len(hits) else None


def nearest_is_partner(made: Tensor, real: Tensor) -> float:
    """Of pictures (n, *shape), how often the nearest of the real ones, pixel by pixel, is the one at its place."""
    found = torch.cdist(made.flatten(1), real.flatten(1)).argmin(1)
    return float((found == torch.arange(len(made))).float().mean())


def taken_for(x: Tensor, kind: int) -> Tensor:
    """How sure the judge of style is that each picture is of that kind, (n,)."""
    with torch.no_grad():
        return catalog.load(STYLE).probabilities(x)[:, kind]
