"""CIFAR-10 for colorization: its pictures with what is known of them, the grey one and perhaps a palette; and its palettes themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from dgm_models.conditions import Beside, Given, Numbers
from dgm_models.data import cifar
from dgm_models.data.dataset import Split
from dgm_models.measurements import Grey
from dgm_models.modalities.palette import COLOURS, palettes
from dgm_models.spaces import Pixels

SHADES = tuple(f"{light} of colour {i + 1}" for light in ("red", "green", "blue") for i in range(COLOURS))
GREYS = Given(Pixels(1, cifar.SIDE))
KNOWN = Beside(GREYS, Numbers(SHADES, ((0.0, 1.0),) * len(SHADES)))
PALETTE = Pixels(3, 1, COLOURS)


def known(x: Tensor, palette: Tensor | None = None) -> Tensor:
    """What a model of colours is told: of pictures (n, 3, h, w) in [0, 1], or grey ones (n, 1, h, w), and their palettes (n, 3, 1, k)."""
    return KNOWN.join(Grey()(x) if x.shape[1] == 3 else x, None if palette is None else palette.flatten(1))


def _of_pictures(part: Callable[[], Split]) -> Callable[[], Split]:
    def load() -> Split:
        stored = part()[0]
        told = [known(x, palettes(x)) for x in map(cifar.DATA.space.read, stored.split(5000))]
        return stored, torch.cat(told)

    return load


def _of_palettes(part: Callable[[], Split]) -> Callable[[], Split]:
    def load() -> Split:
        parts = [cifar.DATA.space.read(stored) for stored in part()[0].split(5000)]
        stored = [(255 * palettes(x)).round().to(torch.uint8) for x in parts]
        return torch.cat(stored), torch.cat([Grey()(x) for x in parts])

    return load


COLOURED = replace(
    cifar.DATA,
    id="cifar-colour",
    title="CIFAR-10 from grey",
    condition=KNOWN,
    train=_of_pictures(cifar.train),
    test=_of_pictures(cifar.test),
    shown=_of_pictures(cifar.shown),
    of=cifar.DATA.id,
)
PALETTES = replace(
    COLOURED,
    id="cifar-palette",
    title="CIFAR-10, palettes",
    noun="palette",
    space=PALETTE,
    condition=GREYS,
    train=_of_palettes(cifar.train),
    test=_of_palettes(cifar.test),
    shown=_of_palettes(cifar.shown),
)
