"""Filling holes in photographs of any size: the square around a hole is shrunk to what a model takes, filled, and laid back into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.receipt import measured
from dgm_models.applications.restore import Answers
from dgm_models.contracts import Noise
from dgm_models.measurements import Hide

GATED, DIFFUSION = "filler-photos", "diffusion-photos"
SIDE = 64
AROUND = 2.0  # the square's side, over the hole's
MOST_HIDDEN = 0.7  # of the square: less is nothing to go by
MOST_ANSWERS = 8


@dataclass(frozen=True)
class Around:
    """The square around a hole: where it is in the photo, how it looks at a model's size, (1, 3, SIDE, SIDE), and where it is seen there,
    bool (1, 1, SIDE, SIDE)."""

    top: int
    left: int
    side: int
    x: Tensor
    seen: Tensor


def around(photo: Tensor, hidden: Tensor) -> Around:
    """Of a photo (3, h, w) in [0, 1] and what is hidden of it, bool (1, h, w). ValueError where nothing is, or nearly all."""
    if not bool(hidden.any()):
        raise ValueError("Nothing is hidden yet: paint a hole over the photo")
    rows, columns = hidden[0].any(1).nonzero()[:, 0], hidden[0].any(0).nonzero()[:, 0]
    (low, high), (first, end) = ((int(each[0]), int(each[-1]) + 1) for each in (rows, columns))
    long, short = max(high - low, end - first), min(photo.shape[1:])
    if long > short:
        raise ValueError(f"The hole is too large: it is {long} pixels long, and the photo's shorter side is {short}")
    side = min(short, max(SIDE, round(AROUND * long)))
    top, left = (
        min(max(0, (a + b - side) // 2), size - side) for a, b, size in ((low, high, photo.shape[1]), (first, end, photo.shape[2]))
    )
    part, away = (each[None, :, top : top + side, left : left + side] for each in (photo, hidden))
    seen = F.interpolate((~away).float(), (SIDE, SIDE), mode="area") > 0.99
    if seen.float().mean() < 1 - MOST_HIDDEN or hidden.sum() > away.sum():
        raise ValueError("The hole is too large: expected at least 30 % of the square around it to be seen, and one hole in one place")
    return Around(top, left, side, F.interpolate(part, (SIDE, SIDE), mode="area") * seen, seen)


def squared_around(photo: Tensor, square: Around) -> Tensor:
    """What lies in that square of a photo (3, h, w), hidden or not: (1, 3, SIDE, SIDE)."""
    part = photo[None, :, square.top : square.top + square.side, square.left : square.left + square.side]
    return F.interpolate(part, (SIDE, SIDE), mode="area")


def answers(square: Around, seeds: Sequence[int]) -> Answers:
    """Draws of p(whole | seen) by diffusion, one a seed."""
    if not 1 <= len(seeds) <= MOST_ANSWERS:
        raise ValueError(f"Answers: expected 1 to {MOST_ANSWERS}, got {len(seeds)}")
    loaded, away = catalog.open_for("restore", DIFFUSION), Hide(square.seen)
    with measured(loaded, catalog.recipe(DIFFUSION).title, seeds[0], len(seeds)) as receipt:
        seen = square.x.expand(len(seeds), -1, -1, -1)
        frames = list(loaded.model.restore(seen, away, Noise(seeds)))
    return Answers(frames, receipt)


def gated(square: Around) -> Tensor:
    """The one answer of gated convolutions, (1, 3, SIDE, SIDE)."""
    return catalog.load(GATED).fill(square.x, square.seen)


def laid_back(photo: Tensor, hidden: Tensor, square: Around, answer: Tensor) -> Tensor:
    """The photo (3, h, w) with an answer (3, SIDE, SIDE) where it was hidden, and nothing else changed."""
    large = F.interpolate(answer[None], (square.side, square.side), mode="bicubic", align_corners=False)[0].clamp(0, 1)
    whole = photo.clone()
    whole[:, square.top : square.top + square.side, square.left : square.left + square.side] = large
    return torch.where(hidden, whole, photo)


def seam(x: Tensor, seen: Tensor) -> float:
    """How much neighbours differ across the border of a hole, over how much they do within it: of pictures (n, c, h, w) and where they are
    seen, bool (n, 1, h, w). 1: no seam."""
    across, inside = [], []
    for way in (2, 3):
        step = (x.narrow(way, 1, x.shape[way] - 1) - x.narrow(way, 0, x.shape[way] - 1)).abs().mean(1, keepdim=True)
        one, other = seen.narrow(way, 1, seen.shape[way] - 1), seen.narrow(way, 0, seen.shape[way] - 1)
        across.append(step[one ^ other])
        inside.append(step[~one & ~other])
    return float(torch.cat(across).mean() / torch.cat(inside).mean().clamp_min(1e-6))
