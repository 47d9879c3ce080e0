"""Gated convolutions, which learn where to look past a hole (Yu et al., 2019: DeepFill v2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.adversarial import leaky
from dgm_models.networks.enlarger import PatchCritic


class Gated(nn.Module):
    """A 3x3 convolution, each number of which has a gate of its own: (n, before, h, w) -> (n, after, h, w), or half as large."""

    def __init__(self, before: int, after: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, 2 * after, 3, stride=stride, padding=dilation, dilation=dilation)

    def forward(self, h: Tensor) -> Tensor:
        value, gate = self.conv(h).chunk(2, dim=1)
        return leaky(value) * torch.sigmoid(gate)


class GatedUNet(nn.Module):
    """Signals (n, c, h, w) with zeros where they are hidden, and where they are seen, (n, 1, h, w), 1 or 0 -> signals (n, c, h, w)."""

    divides = 8

    def __init__(self, channels: int = 3, width: int = 32) -> None:
        super().__init__()
        self.colours = channels
        self.enter = Gated(4 * (channels + 1), width)
        self.down = nn.ModuleList([Gated(width, 2 * width, stride=2), Gated(2 * width, 4 * width, stride=2)])
        self.middle = nn.ModuleList(Gated(4 * width, 4 * width, dilation=dilation) for dilation in (1, 2, 4, 1))
        self.up = nn.ModuleList([Gated(4 * width, 2 * width), Gated(2 * width, width)])
        self.join = nn.ModuleList([Gated(4 * width, 2 * width), Gated(2 * width, width)])
        self.leave = nn.Conv2d(width, 4 * channels, 3, padding=1)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        h = self.enter(F.pixel_unshuffle(torch.cat([x, seen], dim=1), 2))
        kept = [h]
        for layer in self.down:
            h = layer(h)
            kept.append(h)
        for layer in self.middle:
            h = h + layer(h)
        for up, join, beside in zip(self.up, self.join, reversed(kept[:-1]), strict=True):
            h = join(torch.cat([up(F.interpolate(h, scale_factor=2)), beside], dim=1))
        return F.pixel_shuffle(self.leave(h), 2).float()


class Filling(nn.Module):
    """A generator that fills holes and its critic, which is shown where they were."""

    def __init__(self, channels: int = 3, width: int = 32, critic_width: int = 48) -> None:
        super().__init__()
        self.generator, self.critic = GatedUNet(channels, width), PatchCritic(channels + 1, critic_width)
        self.colours, self.divides = channels, self.generator.divides

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The part whose calls a receipt counts."""
        return (self.generator,)
