"""What is lost where something is measured: linear maps A with a right inverse, A(A.pinv(m)) = m. Restoring undoes them.

Linear > Disjoint > Hide: a family says once which of them it undoes, and undoes every kind below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


class Linear(ABC):
    """A linear map from pictures (n, c, h, w) to measurements; `pinv` is its pseudo-inverse, so pinv(A(x)) projects x."""

    words = "any linear measurement"

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """What is measured of each picture; ValueError for pictures that it does not fit."""

    @abstractmethod
    def pinv(self, seen: Tensor) -> Tensor:
        """The smallest picture that is measured as what was seen."""

    def rows(self, index: Tensor) -> Linear:
        """The same for a selection of pictures, index (m,)."""
        return self

    def put_back(self, x: Tensor, seen: Tensor) -> Tensor:
        """The nearest picture to x that is measured as what was seen."""
        return x + self.pinv(seen - self(x))


class Disjoint(Linear):
    """Each number measured is of pixels of its own: A A^T is `gain` times the identity, where anything is measured."""

    words = "averages of pixels that no other average has"
    gain: float


class Hide(Disjoint):
    """Keep the pixels where the mask is true and set the others to 0: inpainting is its inverse."""

    words = "hidden pixels"
    gain = 1.0

    def __init__(self, mask: Tensor) -> None:
        """mask: bool, (1, h, w) or (c, h, w) for all or (n, 1, h, w), true where the pixel is seen."""
        mask = torch.as_tensor(mask)
        if mask.dtype != torch.bool:
            raise ValueError(f"expected a mask of bool, true where seen, got {mask.dtype}")
        self.mask = mask

    def __call__(self, x: Tensor) -> Tensor:
        return x * self.mask

    def pinv(self, seen: Tensor) -> Tensor:
        return seen * self.mask

    def put_back(self, x: Tensor, seen: Tensor) -> Tensor:
        return torch.where(self.mask, seen, x)  # to the last bit

    def rows(self, index: Tensor) -> Hide:
        return Hide(self.mask[index]) if self.mask.dim() == 4 and len(self.mask) > 1 else self

    def __repr__(self) -> str:
        return f"Hide({self.mask.float().mean():.0%} seen)"


class Shrink(Disjoint):
    """Average blocks of factor x factor pixels: super-resolution is its inverse."""

    def __init__(self, factor: int) -> None:
        self.factor = _whole(factor)
        self.gain = 1 / factor**2

    def __call__(self, x: Tensor) -> Tensor:
        _divides(self.factor, x)
        return F.avg_pool2d(x, self.factor)

    def pinv(self, seen: Tensor) -> Tensor:
        return seen.repeat_interleave(self.factor, -1).repeat_interleave(self.factor, -2)

    def __repr__(self) -> str:
        return f"Shrink({self.factor})"


class Grey(Disjoint):
    """Average the colour channels: colorization is its inverse."""

    def __init__(self, channels: int = 3) -> None:
        self.channels, self.gain = channels, 1 / channels

    def __call__(self, x: Tensor) -> Tensor:
        if x.shape[1] != self.channels:
            raise ValueError(f"expected pictures of {self.channels} colours, got {x.shape[1]}")
        return x.mean(1, keepdim=True)

    def pinv(self, seen: Tensor) -> Tensor:
        return seen.expand(-1, self.channels, -1, -1)

    def __repr__(self) -> str:
        return "Grey()"


class Bicubic(Linear):
    """Shrink by a cubic filter that is as wide as the step (antialiased), which is how super-resolution is published. What a filter with
    negative lobes makes of [0, 1] may lie a little outside."""

    def __init__(self, factor: int) -> None:
        self.factor = _whole(factor)

    def __call__(self, x: Tensor) -> Tensor:
        _divides(self.factor, x)
        down, across = (self._filter(side)[0] for side in x.shape[-2:])
        return down @ x @ across.T

    def pinv(self, seen: Tensor) -> Tensor:
        down, across = (self._filter(side * self.factor)[1] for side in seen.shape[-2:])
        return down @ seen @ across.T

    def _filter(self, side: int) -> tuple[Tensor, Tensor]:
        return _cubic(side, self.factor)

    def __repr__(self) -> str:
        return f"Bicubic({self.factor})"


@lru_cache(maxsize=16)
def _cubic(side: int, factor: int) -> tuple[Tensor, Tensor]:
    """The filter along one side, (side / factor, side), and its pseudo-inverse."""
    # a picture for each column of the filter, two pixels wide: of pictures one pixel wide torch 2.13 makes something else
    each = torch.eye(side)[None, :, :, None].expand(-1, -1, -1, 2)
    rows = F.interpolate(each, (side // factor, 2), mode="bicubic", antialias=True, align_corners=False)[0, :, :, 0].T
    return rows.contiguous(), torch.linalg.pinv(rows.double()).float()


def _whole(factor: int) -> int:
    if isinstance(factor, bool) or not isinstance(factor, int) or factor < 1:
        raise ValueError(f"expected a whole factor of at least 1, got {factor!r}")
    return factor


def _divides(factor: int, x: Tensor) -> None:
    if x.shape[-1] % factor or x.shape[-2] % factor:
        raise ValueError(f"expected sides that {factor} divides, got {tuple(x.shape[-2:])}")


def put_back_in_range(x: Tensor, seen: Tensor, measurement: Linear, rounds: int = 60) -> Tensor:
    """The nearest picture within [0, 1] that the measurement maps to what was seen, by alternating projections.

    For hidden pixels one round is exact.
    """
    x, off = x.clamp(0, 1), torch.ones(len(x), *[1] * (x.dim() - 1))
    for _ in range(rounds):
        x = torch.where(off < 1e-4, x, measurement.put_back(x, seen).clamp(0, 1))  # each picture stops by itself
        off = (measurement(x) - seen).abs().flatten(1).amax(1).view(off.shape)
        if off.max() < 1e-4:
            break
    return x
