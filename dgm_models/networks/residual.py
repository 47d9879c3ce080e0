"""Residual convolutions on a digit folded to 14 x 14: the workhorse behind diffusion, the reader and the regressor."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Fourier(nn.Module):
    """Sines and cosines of a scalar, (n,) -> (n, width): what lets a network see small changes of it."""

    def __init__(self, width: int, fastest: float = 16.0) -> None:
        super().__init__()
        self.register_buffer("rates", torch.logspace(math.log10(0.1), math.log10(fastest), width // 2), persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        angle = t[:, None] * self.rates
        return torch.cat([angle.sin(), angle.cos()], dim=1)


class Condition(nn.Module):
    """Scalars and a label (the last index means none), or so many numbers in its place -> one vector (n, width) that steers every block."""

    def __init__(self, width: int, classes: int = 0, scalars: int = 1, numbers: int = 0) -> None:
        super().__init__()
        self.fourier = Fourier(64)
        self.scalars = nn.Linear(64 * scalars, width)
        self.label = nn.Linear(numbers, width) if numbers else nn.Embedding(classes + 1, width)
        self.out = nn.Linear(width, width)

    @torch.no_grad()
    def begin_as(self, label: nn.Embedding) -> None:
        """Numbers that begin with a class, as 1 among 0, are heard as that label was; the rest changes nothing yet."""
        *known, none = label.weight
        self.label.bias.copy_(none)
        self.label.weight.zero_()
        self.label.weight[:, : len(known)] = (torch.stack(known) - none).T

    def forward(self, scalars: Tensor, y: Tensor) -> Tensor:
        """(n, scalars), (n,) or (n, numbers) -> (n, width)."""
        seen = torch.cat([self.fourier(s) for s in scalars.unbind(1)], dim=1)
        return self.out(F.silu(self.scalars(seen) + self.label(y)))


def fast_silu(h: Tensor) -> Tensor:
    """SiLU with straight lines for its sigmoid (Howard et al., 2019): its exponential took a quarter of a training step on a CPU."""
    return h * (h + 3).clamp(0, 6) / 6


class Block(nn.Module):
    """Two 3x3 convolutions beside the identity; scale and shift come from the condition (Perez et al., 2018)."""

    def __init__(self, width: int, condition: int, activation: Callable[[Tensor], Tensor] = F.silu) -> None:
        super().__init__()
        self.activation = activation
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.steer = nn.Linear(condition, 2 * width)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.steer(F.silu(condition))[:, :, None, None].chunk(2, dim=1)
        inner = self.conv1(self.activation(self.norm1(h)))
        inner = self.norm2(inner) * (1 + scale) + shift
        return h + self.conv2(self.activation(inner))


class PatchResNet(nn.Module):
    """(n, channels, h, w), scalars (n, s), labels (n,) -> (n, out, h, w), at a quarter of the positions."""

    def __init__(
        self, channels: int, out: int, width: int = 96, depth: int = 8, classes: int = 0, scalars: int = 1, patch: int = 2
    ) -> None:
        super().__init__()
        self.patch = patch
        self.condition = Condition(2 * width, classes, scalars)
        self.enter = nn.Conv2d(channels * patch**2, width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(width, 2 * width) for _ in range(depth))
        self.norm = nn.GroupNorm(8, width)
        self.leave = nn.Conv2d(width, out * patch**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, scalars: Tensor, y: Tensor) -> Tensor:
        condition = self.condition(scalars, y)
        h = self.enter(F.pixel_unshuffle(x, self.patch))
        for block in self.blocks:
            h = block(h, condition)
        return F.pixel_shuffle(self.leave(F.silu(self.norm(h))), self.patch)


class Attention(nn.Module):
    """Every position looks at every other, beside the identity: (n, width, h, w) -> the same."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads, self.norm = heads, nn.GroupNorm(8, width)
        self.enter, self.leave = nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, h: Tensor) -> Tensor:
        n, width, rows, columns = h.shape
        query, key, value = self.enter(self.norm(h)).view(n, 3, self.heads, width // self.heads, rows * columns).transpose(3, 4).unbind(1)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return h + self.leave(mixed.transpose(2, 3).reshape(n, width, rows, columns))


class PatchUNet(nn.Module):
    """PatchResNet with a coarse middle at 7 x 7 where every position sees the whole digit (Ronneberger et al., 2015)."""

    def __init__(
        self,
        channels: int,
        out: int,
        width: int = 80,
        fine: int = 2,
        coarse: int = 3,
        classes: int = 0,
        scalars: int = 1,
        patch: int = 2,
        smooth: bool = False,
        numbers: int = 0,
    ) -> None:
        """numbers: of a condition that is no label. smooth: twice differentiable, for energies: SiLU itself, and no attention."""
        super().__init__()
        self.patch, steer, wide = patch, 2 * width, 2 * width
        self.activation = F.silu if smooth else fast_silu
        self.condition = Condition(steer, classes, scalars, numbers)
        self.enter = nn.Conv2d(channels * patch**2, width, 3, padding=1)
        self.falling = nn.ModuleList(Block(width, steer, self.activation) for _ in range(fine))
        self.down = nn.Conv2d(width, wide, 3, stride=2, padding=1)
        self.middle = nn.ModuleList(Block(wide, steer, self.activation) for _ in range(coarse))
        self.looks = nn.ModuleList(nn.Identity() if smooth else Attention(wide) for _ in range(coarse))
        self.up = nn.Conv2d(wide, 4 * width, 1)
        self.join = nn.Conv2d(2 * width, width, 1)
        self.rising = nn.ModuleList(Block(width, steer, self.activation) for _ in range(fine))
        self.norm = nn.GroupNorm(8, width)
        self.leave = nn.Conv2d(width, out * patch**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, scalars: Tensor, y: Tensor) -> Tensor:
        condition = self.condition(scalars, y)
        h = self.enter(F.pixel_unshuffle(x, self.patch))
        for block in self.falling:
            h = block(h, condition)
        kept, h = h, self.down(h)
        for block, look in zip(self.middle, self.looks, strict=True):
            h = look(block(h, condition))
        h = self.join(torch.cat([kept, F.pixel_shuffle(self.up(h), 2)], dim=1))
        for block in self.rising:
            h = block(h, condition)
        return F.pixel_shuffle(self.leave(self.activation(self.norm(h))), self.patch)


class PairUNet(PatchUNet):
    """From one picture to another of the same sides: (n, given, h, w) -> (n, channels, h, w)."""

    divides = 4

    def __init__(self, channels: int, given: int, width: int = 48, fine: int = 2, coarse: int = 3) -> None:
        super().__init__(given, channels, width=width, fine=fine, coarse=coarse)
        self.colours = channels

    def forward(self, y: Tensor) -> Tensor:
        none = torch.zeros(len(y), dtype=torch.long, device=y.device)
        return super().forward(y, y.new_zeros(len(y), 1), none).float()
