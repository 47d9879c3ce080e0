"""How a digit is written: slant, thickness, width and height of its strokes, as Morpho-MNIST defines them (Castro et al., 2019)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

NAMES = ("slant", "thickness", "width", "height")  # degrees to the right; pixels
FINER = 4  # times as large as it is, a picture is black and white without losing the edge of a stroke
DEEPEST = 32  # finer pixels from the edge of a stroke to its middle, at most
CUT = 0.02  # of the ink, at either side, that does not count as reach: a stray pixel is none
PART = 2000


def measure(x: Tensor) -> Tensor:
    """Of each picture (n, 1, h, w) in [0, 1] its NAMES, (n, 4); of an empty one zeros."""
    return torch.cat([torch.cat([_frame(some), _thickness(some)[:, None]], 1)[:, [0, 3, 1, 2]] for some in x.split(PART)])


def slant(x: Tensor) -> Tensor:
    """Of each picture (n, 1, h, w) its slant alone, (n,), which takes a fifth of the time."""
    return _frame(x)[:, 0]


def _frame(x: Tensor) -> Tensor:
    """Slant, width and height, (n, 3): of the parallelogram around the ink, whose sides lean as the ink does."""
    ink = x[:, 0].double()
    mass = ink.sum((1, 2)).clamp_min(1e-9)
    down, across = torch.meshgrid(*(torch.arange(side, dtype=torch.double) for side in ink.shape[1:]), indexing="ij")
    middle = [(ink * place).sum((1, 2), keepdim=True) / mass[:, None, None] for place in (across, down)]
    right, below = across - middle[0], down - middle[1]
    shear = (ink * right * below).sum((1, 2)) / (ink * below**2).sum((1, 2)).clamp_min(1e-9)
    upright = right - shear[:, None, None] * below
    return torch.stack([-torch.rad2deg(shear.atan()), _reach(ink, upright), _reach(ink, below.expand_as(ink))], 1).float()


def _reach(ink: Tensor, place: Tensor) -> Tensor:
    """From where CUT of the ink lies before to where as much lies behind, and the pixel that it takes itself, (n,)."""
    order = place.flatten(1).argsort(1)
    sorted_place, gathered = place.flatten(1).gather(1, order), ink.flatten(1).gather(1, order).cumsum(1)
    total = gathered[:, -1:].contiguous()
    ends = torch.cat([CUT * total, (1 - CUT) * total], 1)
    at = torch.searchsorted(gathered, ends).clamp(max=place[0].numel() - 1)
    low, high = sorted_place.gather(1, at).unbind(1)
    return torch.where(total[:, 0] > 0, high - low + 1, 0)


def _thickness(x: Tensor) -> Tensor:
    """Twice the way from the middle of the strokes to their edge, a mean over the middle, in pixels, (n,): strokes are peeled until none is
    left, and the middle is what no peeled one would grow back to (Lantuejoul, 1980)."""
    left = F.pad(F.interpolate(x.float(), scale_factor=FINER, mode="bilinear")[:, 0] > 0.5, (1, 1, 1, 1))
    total, count = torch.zeros(len(x)), torch.zeros(len(x))
    for depth in range(1, DEEPEST + 1):  # by a cross and by a square in turn, which is nearly by a circle
        peeled = ~_grown(~left, square=depth % 2 == 0)
        middle = (left & ~_grown(peeled, square=depth % 2 == 0)).sum((1, 2))
        total, count, left = total + depth * middle, count + middle, peeled
        if not bool(left.any()):
            break
    return torch.where(count > 0, (2 * total / count.clamp_min(1) - 0.5) / FINER, 0)


def _grown(solid: Tensor, square: bool) -> Tensor:
    """With the pixels that touch it by a side, or by a corner too; nothing grows over the outermost ones. bool (n, h, w)."""
    wide = solid.clone()
    wide[:, 1:] |= solid[:, :-1]
    wide[:, :-1] |= solid[:, 1:]
    sides = wide if square else solid
    tall = wide.clone()
    tall[:, :, 1:] |= sides[:, :, :-1]
    tall[:, :, :-1] |= sides[:, :, 1:]
    return tall


def turned(x: Tensor, degrees: float) -> Tensor:
    """Pictures turned about their middle, to the right, (n, c, h, w)."""
    angle = math.radians(degrees)
    way = torch.tensor([[math.cos(angle), math.sin(angle), 0.0], [-math.sin(angle), math.cos(angle), 0.0]], dtype=x.dtype)
    grid = F.affine_grid(way.expand(len(x), -1, -1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
