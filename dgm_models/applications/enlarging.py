"""Enlarging photographs: faithful or sharp, or between the two; what each costs in error and in looks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models import catalog
from dgm_models.measurements import Bicubic

FAITHFUL, SHARP, READER = "faithful-photos", "sharp-photos", "reader-cifar"
BETWEEN = 5  # places from the faithful to the sharp one at which both figures are taken
LUMINANCE = (65.481 / 255, 128.553 / 255, 24.966 / 255)  # of red, green, blue in [0, 1] (ITU-R BT.601), without its constant
SIDE = 32  # of the tiles whose features are compared


def fitted(x: Tensor, factor: int) -> Tensor:
    """The largest part of a picture (n, c, h, w) whose sides the factor divides, from its upper left corner. ValueError for a picture that
    is too small to be compared with what is made of it."""
    high, wide = (side // factor * factor for side in x.shape[-2:])
    if min(high, wide) < SIDE:
        raise ValueError(f"Photo: expected at least {SIDE} pixels a side, to be shrunk and compared, got {x.shape[-1]} x {x.shape[-2]}")
    return x[..., :high, :wide]


def shrunk(x: Tensor, factor: int) -> Tensor:
    """As super-resolution is published: by an antialiased cubic filter, in 8-bit levels. (n, c, h, w) in [0, 1]."""
    return (255 * Bicubic(factor)(x)).round().clamp(0, 255) / 255


def bicubic(seen: Tensor, factor: int) -> Tensor:
    """The enlargement that learned nothing, as it is published, (n, c, factor h, factor w) in [0, 1]."""
    # antialiased or not says in torch which cubic filter it is: published figures are those of a = -0.5
    return F.interpolate(seen, scale_factor=factor, mode="bicubic", align_corners=False, antialias=True).clamp(0, 1)


def both(seen: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """The faithful and the sharp enlargement of a picture (1, 3, h, w) in [0, 1]. ValueError for a factor other than 2 and 4."""
    return tuple(catalog.load(id).enlarge(seen, factor) for id in (FAITHFUL, SHARP))


def luminance_psnr(x: Tensor, real: Tensor, border: int) -> float:
    """Decibels of the luminance of one picture (1, 3, h, w), without so many pixels at its borders, in 8-bit levels."""
    weights = torch.tensor(LUMINANCE).view(1, 3, 1, 1)
    one, other = (((255 * each).round() / 255 * weights).sum(1) for each in (x, real))
    off = (one - other)[:, border:-border, border:-border]
    return float(-10 * off.square().mean().clamp_min(1e-10).log10())


def feature_distance(x: Tensor, real: Tensor) -> float:
    """How far the features of tiles are from those of the same tiles of the real picture, over how large those are: what a classifier of
    small pictures sees, which nothing was taught against. Pictures (1, 3, h, w)."""
    reader = catalog.load(READER)
    with torch.no_grad():
        one, other = (torch.cat([reader.features(part) for part in _tiles(each).split(250)]) for each in (x, real))
    return float((one - other).norm(dim=1).mean() / other.norm(dim=1).mean())


def trade(faithful: Tensor, sharp: Tensor, real: Tensor, border: int) -> list[tuple[float, float, float]]:
    """From the faithful to the sharp one, at BETWEEN places: the share of the sharp, PSNR, distance of features."""
    found = []
    for share in torch.linspace(0, 1, BETWEEN).tolist():
        mixed = faithful.lerp(sharp, share)
        found.append((share, luminance_psnr(mixed, real, border), feature_distance(mixed, real)))
    return found


def _tiles(x: Tensor) -> Tensor:
    """(1, 3, h, w) -> tiles (n, 3, SIDE, SIDE) side by side."""
    tiles = x[0].unfold(1, SIDE, SIDE).unfold(2, SIDE, SIDE)
    return tiles.permute(1, 2, 0, 3, 4).flatten(0, 1)
