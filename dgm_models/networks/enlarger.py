"""Networks that work at the size of a small picture and make a larger one of it at their end (Shi et al., 2016), and what judges them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.adversarial import PlainBlock, leaky


class Enlarger(nn.Module):
    """Signals (n, 3, h, w) of any size, and one of the factors -> (n, 3, factor h, factor w): the bicubic enlargement, and what is missing
    there. The body is one for all factors, the last layer is each one's own (Lim et al., 2017)."""

    def __init__(self, channels: int = 3, width: int = 48, depth: int = 8, factors: tuple[int, ...] = (2, 4)) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, width, 3, padding=1)
        self.body = nn.ModuleList(PlainBlock(width) for _ in range(depth))
        self.leave = nn.ModuleDict({str(factor): nn.Conv2d(width, channels * factor**2, 3, padding=1) for factor in factors})
        for layer in self.leave.values():
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, seen: Tensor, factor: int) -> Tensor:
        large = F.interpolate(seen, scale_factor=factor, mode="bicubic", align_corners=False)
        h = first = self.enter(seen)
        for block in self.body:
            h = block(h)
        return large + F.pixel_shuffle(self.leave[str(factor)](leaky(h + first)), factor).float()


class PatchCritic(nn.Module):
    """Signals beside what they were made of, (n, channels, h, w) -> a score for each patch, (n, 1, h / 8, w / 8) (Isola et al., 2017)."""

    def __init__(self, channels: int = 6, width: int = 48) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.fine = nn.ModuleList([PlainBlock(width)])
        self.down = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
        self.coarse = nn.ModuleList([PlainBlock(2 * width)])
        self.out = nn.Conv2d(2 * width, 1, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.enter(F.pixel_unshuffle(x, 2))
        for block in self.fine:
            h = block(h)
        h = self.down(leaky(h))
        for block in self.coarse:
            h = block(h)
        return self.out(leaky(h))


class Sharpening(nn.Module):
    """An enlarger and its critic."""

    def __init__(self, channels: int = 3, width: int = 48, depth: int = 8, critic_width: int = 48) -> None:
        super().__init__()
        self.generator = Enlarger(channels, width, depth)
        self.critic = PatchCritic(2 * channels, critic_width)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The part whose calls a receipt counts."""
        return (self.generator,)
