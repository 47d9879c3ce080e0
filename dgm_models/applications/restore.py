"""Inpainting and super-resolution: draw from p(x | what was seen), several times, with several models."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Frame, Noise, Settings
from dgm_models.data import FIRST, SETS
from dgm_models.measurements import Linear
from dgm_models.spaces import Pixels

PRESETS = ("centre", "upper half", "lower half", "left half", "stripes", "noise")


@dataclass(frozen=True)
class Answers:
    """Draws for one thing that was seen: a film whose frames are (answers, *shape), and what it cost."""

    frames: list[Frame]
    receipt: Receipt

    @property
    def x(self) -> Tensor:
        return self.frames[-1].x


@dataclass(frozen=True)
class Restored:
    """Answers of one model: a film whose frames are (answers, *shape), and how its last reads."""

    id: str
    frames: list[Frame]
    readings: Tensor  # (answers,) the class that the reader sees in each
    receipt: Receipt


def restore(
    id: str, seen: Tensor, measurement: Linear, seed: int, answers: int = 4, y: int = -1, settings: Settings | None = None
) -> Restored:
    """Several draws for one measurement (1, ...); answer i uses seed + i."""
    loaded, noise = catalog.open_for("restore", id), Noise(seeds_from(seed, answers))
    labels = torch.full((answers,), y)
    seen = seen.expand(answers, *seen.shape[1:])
    with measured(loaded, catalog.recipe(id).title, seed, answers) as receipt:
        frames = list(loaded.model.restore(seen, measurement, noise, labels, settings))
    return Restored(id, frames, read(frames[-1].x, catalog.recipe(id).data).argmax(1), receipt)


def read(x: Tensor, data: str = FIRST) -> Tensor:
    """What the judge of a data set makes of elements: p(y | x), (n, classes)."""
    with torch.no_grad():
        return catalog.load(SETS[data].judge).probabilities(x)


def bicubic(seen: Tensor, factor: int) -> Tensor:
    """The enlargement that knows nothing of digits, (n, 1, height, width) in [0, 1]."""
    return F.interpolate(seen, scale_factor=factor, mode="bicubic", align_corners=False).clamp(0, 1)


def hole(preset: str, space: Pixels = SETS[FIRST].space, seed: int = 0) -> Tensor:
    """A mask by name, bool (1, height, width), true where seen."""
    high, wide = space.height, space.width
    mask = torch.ones(1, high, wide, dtype=torch.bool)
    if preset == "centre":
        mask[:, high // 4 : high - high // 4, wide // 4 : wide - wide // 4] = False
    elif preset == "upper half":
        mask[:, : high // 2] = False
    elif preset == "lower half":
        mask[:, high // 2 :] = False
    elif preset == "left half":
        mask[:, :, : wide // 2] = False
    elif preset == "stripes":
        mask[:, :, torch.arange(wide) % 8 >= 4] = False
    elif preset == "noise":
        mask = torch.rand(1, high, wide, generator=torch.Generator().manual_seed(seed)) < 0.2
    else:
        raise ValueError(f"Hole: expected one of {', '.join(PRESETS)}, got {preset!r}")
    return mask
