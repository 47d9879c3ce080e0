"""Networks that make one kind of picture of another, there and back."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.adversarial import PlainBlock, leaky
from dgm_models.networks.enlarger import PatchCritic


class Way(nn.Module):
    """Signals (n, c, h, w), sides divisible by 4 -> as many: what is to be changed of them, at half and at a quarter of their size. Changes
    nothing before it has learned."""

    def __init__(self, channels: int = 3, width: int = 48, fine: int = 2, coarse: int = 4) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.fine = nn.ModuleList(PlainBlock(width) for _ in range(fine))
        self.down = nn.Conv2d(4 * width, 2 * width, 1)
        self.coarse = nn.ModuleList(PlainBlock(2 * width) for _ in range(coarse))
        self.up = nn.Conv2d(2 * width, 4 * width, 1)
        self.leave = nn.Conv2d(width, 4 * channels, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        h = self.enter(F.pixel_unshuffle(x, 2))
        for block in self.fine:
            h = block(h)
        inner = self.down(F.pixel_unshuffle(leaky(h), 2))
        for block in self.coarse:
            inner = block(inner)
        h = h + F.pixel_shuffle(self.up(leaky(inner)), 2)
        return x + F.pixel_shuffle(self.leave(leaky(h)), 2).float()


class TwoWays(nn.Module):
    """A way to each of two kinds of pictures, and a critic of each."""

    def __init__(self, channels: int = 3, width: int = 48, fine: int = 2, coarse: int = 4, critic_width: int = 48) -> None:
        super().__init__()
        self.ways = nn.ModuleList(Way(channels, width, fine, coarse) for _ in range(2))
        self.critics = nn.ModuleList(PatchCritic(channels, critic_width) for _ in range(2))

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The parts whose calls a receipt counts."""
        return tuple(self.ways)
