"""Generators and critics without normalization layers, as R3GAN has them (Huang et al., 2024)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky rectifiers


def leaky(h: Tensor) -> Tensor:
    return F.leaky_relu(h, SLOPE)


class PlainBlock(nn.Module):
    """Two 3x3 convolutions beside the identity, which each block starts from (Zhang et al., 2019: fixup); a style may steer it."""

    def __init__(self, width: int, style: int = 0) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.steer = nn.Linear(style, 2 * width) if style else None
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, h: Tensor, style: Tensor | None = None) -> Tensor:
        inner = self.conv1(leaky(h))
        if style is not None:
            scale, shift = self.steer(style)[:, :, None, None].chunk(2, dim=1)
            inner = inner * (1 + scale) + shift
        return h + self.conv2(leaky(inner))


class Generator(nn.Module):
    """Codes (n, latent), labels (n,) (the last index: none) -> pictures, (n, c, side, side), near [-1, 1]."""

    def __init__(
        self, latent: int, side: int, classes: int = 0, width: int = 64, coarse: int = 2, fine: int = 2, channels: int = 1
    ) -> None:
        super().__init__()
        style, self.side = 2 * width, side
        self.label = nn.Embedding(classes + 1, latent)
        self.enter, self.mix = nn.Linear(2 * latent, style), nn.Linear(style, style)
        self.start = nn.Linear(style, 2 * width * (side // 4) ** 2)
        self.coarse = nn.ModuleList(PlainBlock(2 * width, style) for _ in range(coarse))
        self.up = nn.Conv2d(2 * width, 4 * width, 1)
        self.fine = nn.ModuleList(PlainBlock(width, style) for _ in range(fine))
        self.leave = nn.Conv2d(width, 4 * channels, 3, padding=1)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        style = leaky(self.mix(leaky(self.enter(torch.cat([z, self.label(y)], dim=1)))))
        h = self.start(style).view(len(z), -1, self.side // 4, self.side // 4)
        for block in self.coarse:
            h = block(h, style)
        h = F.pixel_shuffle(self.up(leaky(h)), 2)
        for block in self.fine:
            h = block(h, style)
        return F.pixel_shuffle(self.leave(leaky(h)), 2)


class Critic(nn.Module):
    """Pictures in [-1, 1], labels -> one score each, (n,): a projection on the label (Miyato and Koyama, 2018).

    The score has no constant of its own: a game between pairs would not teach it.
    """

    def __init__(
        self, side: int, classes: int = 0, width: int = 48, coarse: int = 2, fine: int = 2, features: int = 128, channels: int = 1
    ) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.fine = nn.ModuleList(PlainBlock(width) for _ in range(fine))
        self.down = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
        self.coarse = nn.ModuleList(PlainBlock(2 * width) for _ in range(coarse))
        self.out = nn.Linear(2 * width * (side // 4) ** 2, features)
        self.score, self.label = nn.Linear(features, 1, bias=False), nn.Embedding(classes + 1, features)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.enter(F.pixel_unshuffle(x, 2))
        for block in self.fine:
            h = block(h)
        h = self.down(leaky(h))
        for block in self.coarse:
            h = block(h)
        h = leaky(self.out(leaky(h).flatten(1)))
        return self.score(h)[:, 0] + (h * self.label(y)).sum(1) / h.shape[1] ** 0.5


class PointGenerator(nn.Module):
    """The same for points: (n, latent), labels -> (n, size)."""

    def __init__(self, latent: int, size: int, classes: int = 0, width: int = 64) -> None:
        super().__init__()
        self.label = nn.Embedding(classes + 1, width)
        self.enter, self.inner, self.leave = nn.Linear(latent, width), nn.Linear(width, width), nn.Linear(width, size)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.leave(leaky(self.inner(leaky(self.enter(z) + self.label(y)))))


class PointCritic(nn.Module):
    """(n, size), labels -> (n,)."""

    def __init__(self, size: int, classes: int = 0, width: int = 64) -> None:
        super().__init__()
        self.label = nn.Embedding(classes + 1, width)
        self.enter, self.inner, self.leave = nn.Linear(size, width), nn.Linear(width, width), nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.leave(leaky(self.inner(leaky(self.enter(x) + self.label(y)))))[:, 0]


class Adversaries(nn.Module):
    """A generator and a critic that belong together, on pictures."""

    def __init__(
        self, latent: int, side: int, classes: int = 0, width: int = 64, critic_width: int = 48, fine: int = 2, channels: int = 1
    ) -> None:
        super().__init__()
        self.generator = Generator(latent, side, classes, width, fine=fine, channels=channels)
        self.critic = Critic(side, classes, critic_width, fine=fine, channels=channels)
        self.shape = (channels, side, side)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The part whose calls a receipt counts."""
        return (self.generator,)


class PointAdversaries(nn.Module):
    """The same for points."""

    def __init__(self, latent: int, size: int, classes: int = 0, width: int = 64) -> None:
        super().__init__()
        self.generator, self.critic = PointGenerator(latent, size, classes, width), PointCritic(size, classes, width)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        return (self.generator,)
