"""Digits with the way that they are written: p(x | label, slant, thickness, width, height), moved by a number at a time, the noise kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import MOST, seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Frame, Noise
from dgm_models.families.diffusion import DiffusionSettings
from dgm_models.modalities import strokes

WRITER = "diffusion-shape-mnist"
WISHES = 150
# what is asked is settled early
HEEDING = DiffusionSettings(guidance_scale=2.5, guide_from=0.0, guide_until=0.6)
MOVES = ((-40.0, 40.0), (1.0, 5.0), (5.0, 20.0), (13.0, 20.0))  # from where to where each number is moved


@dataclass(frozen=True)
class Written:
    """The film, what was asked for, (n, 5), and what is measured of the pictures, (n, 4), before they are turned."""

    frames: list[Frame]
    asked: Tensor
    measured: Tensor
    receipt: Receipt


def write(labels: Sequence[int], shapes: Sequence[Sequence[float]], seeds: Sequence[int], turn: float = 0.0) -> Written:
    """A digit for each label, -1 for any, with its slant in degrees, and thickness, width and height in pixels, from its seed; afterwards
    all turned by so many degrees to the right. ValueError for what is out of range."""
    if not 1 <= len(labels) <= 3 * MOST:
        raise ValueError(f"How many: expected 1 to {3 * MOST} digits, got {len(labels)}")
    asked = torch.cat([torch.tensor([[float(label)] for label in labels]), torch.tensor([list(shape) for shape in shapes])], 1)
    loaded = catalog.open_for("sample", WRITER)
    with measured(loaded, catalog.recipe(WRITER).title, seeds[0], len(labels)) as receipt:
        frames = list(loaded.model.trace(Noise(seeds), asked, HEEDING))
    found = strokes.measure(frames[-1].x)
    if turn:
        frames = [Frame(strokes.turned(frame.x, turn), frame.note, strokes.turned(frame.guess, turn)) for frame in frames]
    return Written(frames, asked, found, receipt)


def swept(label: int, shape: Sequence[float], seed: int, columns: int) -> tuple[Written, list[list[float]]]:
    """One digit from one noise, each of its numbers from low to high in turn, the others as they are: a row a number; and the values."""
    values = [torch.linspace(low, high, columns).tolist() for low, high in MOVES]
    shapes = [[*shape[:row], value, *shape[row + 1 :]] for row, line in enumerate(values) for value in line]
    return write([label] * len(shapes), shapes, [seed] * len(shapes)), values


def heeded(label: int, seed: int) -> Written:
    """Digits of one label with the numbers of as many test digits of any: asked without regard to the label."""
    noise = Noise(seeds_from(seed, WISHES))
    known = catalog.dataset(WRITER).shown()[1][:, 1:]
    shapes = known[noise.choose(torch.ones(len(known)))]
    return write([label] * WISHES, shapes.tolist(), noise.seeds)


def shape_of(x: Tensor) -> list[float]:
    """The numbers of one picture, (1, 1, h, w), cut to what can be asked for. ValueError for an empty one."""
    if not bool((x > 0.5).any()):
        raise ValueError("Your digit: expected a drawn one, got an empty pad")
    low, high = torch.tensor(catalog.dataset(WRITER).condition.numbers.ranges).T
    return strokes.measure(x)[0].clamp(low, high).tolist()
