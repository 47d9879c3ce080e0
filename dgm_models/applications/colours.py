"""Colorization, p(colour | grey): several answers beside the one of least squared error, a palette first, and the same by a model that
was told nothing of the grey picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.receipt import measured
from dgm_models.applications.restore import Answers
from dgm_models.contracts import Frame, Noise
from dgm_models.data.colour import known
from dgm_models.families.diffusion import DiffusionRestoring, DiffusionSettings
from dgm_models.measurements import Grey, Linear, put_back_in_range

COLOURS, PALETTES, REGRESSOR, READER = "colour-cifar", "palette-cifar", "regressor-cifar", "reader-cifar"
MOST_ANSWERS = 24
STEPS, UNTOLD = 12, 24
PLAIN = DiffusionSettings(steps=STEPS, guidance_scale=1.0)
# as drawn plainly, a small model puts colours where nobody would: cooler and guided, twice the calls, pictures are read better
COLOURING = DiffusionSettings(steps=STEPS, guidance_scale=2.0, guide_from=0.0, guide_until=1.0, temperature=0.65)


def colour(grey: Tensor, seeds: Sequence[int], palette: Tensor | None = None, steps: int = STEPS) -> Answers:
    """Draws of p(colour | grey), one a seed, for one grey picture (1, 1, h, w) in [0, 1]; or for as many palettes (n, 3, 1, k) as seeds, of
    p(colour | grey, palette). ValueError for too many."""
    _check(seeds)
    n, loaded = len(seeds), catalog.open_for("sample", COLOURS)
    y = known(grey.expand(n, -1, -1, -1), None if palette is None else palette.expand(n, -1, -1, -1))
    settings = replace(COLOURING, steps=steps)
    with measured(loaded, catalog.recipe(COLOURS).title, seeds[0], n) as receipt:
        frames = [_kept(frame, grey) for frame in loaded.model.trace(Noise(seeds), y, settings)]
    return Answers([*frames[:-1], frames[-1]._replace(x=put_back_in_range(frames[-1].x, grey, Grey()))], receipt)


def undone(away: Linear, seen: Tensor, seeds: Sequence[int], steps: int = UNTOLD) -> Answers:
    """Draws of p(picture | what was seen), one a seed, for one measurement (1, ...) of a colour picture, by the model without its
    condition: it was not trained for this, and is guided towards what was seen at each step."""
    _check(seeds)
    loaded, seen = catalog.open_for("restore", COLOURS), seen.expand(len(seeds), *seen.shape[1:])
    with measured(loaded, catalog.recipe(COLOURS).title, seeds[0], len(seeds)) as receipt:
        frames = list(loaded.model.restore(seen, away, Noise(seeds), None, DiffusionRestoring(steps=steps)))
    return Answers(frames, receipt)


def draw_palettes(grey: Tensor, seeds: Sequence[int]) -> list[Frame]:
    """Films of palettes (n, 3, 1, k) that a grey picture (1, 1, h, w) may have had, one a seed."""
    _check(seeds)
    model = catalog.open_for("sample", PALETTES).model
    return list(model.trace(Noise(seeds), grey.expand(len(seeds), -1, -1, -1), PLAIN))


def least_error(grey: Tensor) -> Tensor:
    """E[colour | grey] of grey pictures (n, 1, h, w), in their grey: (n, 3, h, w)."""
    return put_back_in_range(catalog.load(REGRESSOR).mean(known(grey)), grey, Grey())


def read_as(x: Tensor) -> list[str]:
    """What the reader of colour pictures takes each for, (n, 3, h, w)."""
    with torch.no_grad():
        found = catalog.load(READER).probabilities(x).argmax(1)
    return [catalog.dataset(READER).condition.names[i] for i in found]


def chroma_error(x: Tensor, real: Tensor) -> Tensor:
    """Mean squared error of the colour without the grey, (n,)."""
    off = (x - x.mean(1, keepdim=True)) - (real - real.mean(1, keepdim=True))
    return off.square().flatten(1).mean(1)


def decibels(error: Tensor) -> Tensor:
    """PSNR of a mean squared error of numbers in [0, 1]."""
    return -10 * error.clamp_min(1e-10).log10()


def saturation(x: Tensor) -> Tensor:
    """The widest difference between two colours of a pixel, a mean over pixels, (n,)."""
    return (x.amax(1) - x.amin(1)).flatten(1).mean(1)


def _check(seeds: Sequence[int]) -> None:
    if not 1 <= len(seeds) <= MOST_ANSWERS:
        raise ValueError(f"Answers: expected 1 to {MOST_ANSWERS}, got {len(seeds)}")


def _kept(frame: Frame, grey: Tensor) -> Frame:
    """What is predicted at a step, in the given grey."""
    return frame._replace(guess=None if frame.guess is None else put_back_in_range(frame.guess, grey, Grey()))
