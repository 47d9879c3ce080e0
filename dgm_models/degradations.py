"""What a measurement loses: linear maps A with a right inverse, A(A.pinv(m)) = m. Restoring undoes them."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Degradation(Protocol):
    """A linear map from pictures to measurements. Its rows have disjoint supports, and A A^T is `gain` times the identity
    (where a pixel is seen)."""

    gain: float

    def __call__(self, x: Tensor) -> Tensor: ...
    def pinv(self, seen: Tensor) -> Tensor: ...
    def put_back(self, x: Tensor, seen: Tensor) -> Tensor: ...
    def rows(self, index: Tensor) -> Degradation: ...


class Whole:
    """A degradation that treats every picture alike."""

    def rows(self, index: Tensor) -> Whole:
        """The same for a selection of pictures, index (m,)."""
        return self

    def put_back(self, x: Tensor, seen: Tensor) -> Tensor:
        """The nearest picture to x that is measured as what was seen."""
        return x + self.pinv(seen - self(x))


class Hide:
    """Keep the pixels where the mask is true and set the others to 0: inpainting is its inverse."""

    gain = 1.0

    def __init__(self, mask: Tensor) -> None:
        """mask: bool, (1, h, w) for all or (n, 1, h, w), true where the pixel is seen."""
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


class Shrink(Whole):
    """Average blocks of factor x factor pixels: super-resolution is its inverse."""

    def __init__(self, factor: int) -> None:
        if isinstance(factor, bool) or not isinstance(factor, int) or factor < 1:
            raise ValueError(f"expected a whole factor of at least 1, got {factor!r}")
        self.factor, self.gain = factor, 1 / factor**2

    def __call__(self, x: Tensor) -> Tensor:
        if x.shape[-1] % self.factor or x.shape[-2] % self.factor:
            raise ValueError(f"expected sides that {self.factor} divides, got {tuple(x.shape[-2:])}")
        return F.avg_pool2d(x, self.factor)

    def pinv(self, seen: Tensor) -> Tensor:
        return seen.repeat_interleave(self.factor, -1).repeat_interleave(self.factor, -2)

    def __repr__(self) -> str:
        return f"Shrink({self.factor})"


class Grey(Whole):
    """Average the colour channels: colorization is its inverse."""

    def __init__(self, channels: int = 3) -> None:
        self.channels, self.gain = channels, 1 / channels

    def __call__(self, x: Tensor) -> Tensor:
        return x.mean(1, keepdim=True)

    def pinv(self, seen: Tensor) -> Tensor:
        return seen.expand(-1, self.channels, -1, -1)

    def __repr__(self) -> str:
        return "Grey()"


def put_back_in_range(x: Tensor, seen: Tensor, degradation: Degradation, rounds: int = 60) -> Tensor:
    """The nearest picture within [0, 1] that the degradation maps to what was seen, by alternating projections.

    For hidden pixels one round is exact.
    """
    x, off = x.clamp(0, 1), torch.ones(len(x), *[1] * (x.dim() - 1))
    for _ in range(rounds):
        x = torch.where(off < 1e-4, x, degradation.put_back(x, seen).clamp(0, 1))  # each picture stops by itself
        off = (degradation(x) - seen).abs().flatten(1).amax(1).view(off.shape)
        if off.max() < 1e-4:
            break
    return x
