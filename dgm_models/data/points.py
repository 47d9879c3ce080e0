"""Points in the plane: the data on which every family can be seen whole."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_models.conditions import Classes
from dgm_models.data.dataset import Dataset
from dgm_models.spaces import Reals


def moons(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two interleaved half circles with noise 0.1: float32 (n, 2), and which moon, int64 (n,)."""
    generator = torch.Generator().manual_seed(seed)
    which = torch.randint(0, 2, (n,), generator=generator)
    angle = math.pi * torch.rand(n, generator=generator)
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
    lower = torch.stack([0.5 - angle.cos(), 0.25 - angle.sin()], dim=1)
    x = torch.where(which[:, None] == 0, upper, lower)
    return x + 0.1 * torch.randn(n, 2, generator=generator), which


def ring(n: int, modes: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Gaussian blobs of width 0.1 on the unit circle: float32 (n, 2), and which blob, int64 (n,)."""
    generator = torch.Generator().manual_seed(seed)
    which = torch.randint(0, modes, (n,), generator=generator)
    angle = 2 * math.pi * which / modes
    centre = torch.stack([angle.cos(), angle.sin()], dim=1)
    return centre + 0.1 * torch.randn(n, 2, generator=generator), which


DATA = Dataset(
    "points",
    "Two moons",
    "point",
    Reals((2,)),
    Classes(2),
    judge="",
    hub="",
    licence="CC0-1.0",
    source="drawn when asked for",
    train=lambda: moons(4000),
    test=lambda: moons(4000, seed=1),
    shown=lambda: moons(1000, seed=1),
)
