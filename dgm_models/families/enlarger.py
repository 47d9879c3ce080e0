"""Enlarging photographs. The faithful one takes the mean of all that a small picture may have been, and is blurred; the sharp one is that
one, taught on by a critic that tells its answers from real ones, and invents (Ledig et al., 2017: SRGAN)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.contracts import Learner
from dgm_models.measurements import Bicubic
from dgm_models.probability import lead, penalised_lead
from dgm_models.spaces import Space

FACTORS = (2, 4)
PART, MARGIN = 96, 18  # pixels of the small picture a tile, and around it: as far as eight blocks see


class Faithful(Learner):
    """network(signals (n, c, h, w), factor) -> (n, c, factor h, factor w)."""

    def __init__(self, network: nn.Module, space: Space) -> None:
        super().__init__()
        self.network, self.space, self.classes = network, space, 0

    @property
    def enlarger(self) -> nn.Module:
        return self.network

    @torch.no_grad()
    def enlarge(self, seen: Tensor, factor: int) -> Tensor:
        """Pictures (n, c, h, w) in [0, 1] of any size -> (n, c, factor h, factor w) in [0, 1], tile by tile, so that memory stays small.
        ValueError for another factor."""
        if factor not in FACTORS:
            raise ValueError(f"expected a factor of {' or '.join(map(str, FACTORS))}, got {factor!r}")
        high, wide = seen.shape[-2:]
        out = seen.new_empty(*seen.shape[:-2], factor * high, factor * wide)
        for top in range(0, high, PART):
            for left in range(0, wide, PART):
                low, first = max(0, top - MARGIN), max(0, left - MARGIN)
                bottom, right = min(high, top + PART), min(wide, left + PART)
                tile = self._made(seen[..., low : bottom + MARGIN, first : right + MARGIN], factor)
                down, across = factor * (top - low), factor * (left - first)
                size = factor * (bottom - top), factor * (right - left)
                place = out[..., factor * top : factor * bottom, factor * left : factor * right]
                place.copy_(tile[..., down : down + size[0], across : across + size[1]])
        return self.space.clamp(out)

    def _made(self, seen: Tensor, factor: int) -> Tensor:
        return self.space.from_signal(self.enlarger(self.space.to_signal(seen), factor).float())

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Mean absolute error (Lim et al., 2017) over both factors, of tiles turned and mirrored."""
        return sum((self._made(seen, factor) - large).abs().mean() for large, seen, factor in pairs(x))


class Sharp(Faithful):
    """Begins as its teacher, the faithful one. network.critic(signals beside the bicubic enlargement) -> a score a patch.

    adversarial: the critic's word beside the mean absolute error. gamma: weighs R1 and R2, the penalties of R3GAN (Huang et al., 2024).
    """

    def __init__(self, network: nn.Module, space: Space, adversarial: float = 0.05, gamma: float = 0.02, penalised: float = 0.25) -> None:
        super().__init__(network, space)
        self.adversarial, self.gamma, self.penalised = adversarial, gamma, penalised

    @property
    def enlarger(self) -> nn.Module:
        return self.network.generator

    def players(self) -> dict[str, nn.Module]:
        return {"critic": self.network.critic, "generator": self.network.generator}

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        if teacher is not None:
            self.network.generator.load_state_dict(teacher.network.state_dict())
        yield ""

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "critic") -> Tensor:
        """The relativistic game of pairs (Jolicoeur-Martineau, 2019), patch by patch; the generator also keeps to what was there."""
        if player not in ("critic", "generator"):
            raise ValueError(f"expected player 'critic' or 'generator', got {player!r}")
        found = []
        for large, seen, factor in pairs(x):
            made = self._made(seen, factor) if player == "generator" else self._made(seen, factor).detach()
            blurred = F.interpolate(seen, scale_factor=factor, mode="bicubic", align_corners=False)
            real, fake = (self.space.to_signal(torch.cat([each, blurred], 1)) for each in (large, made))
            if player == "generator":
                game = lead(self.network.critic(real), self.network.critic(fake))
                found.append((made - large).abs().mean() + self.adversarial * game)
                continue
            some = max(1, round(self.penalised * len(real)))
            found.append(penalised_lead(self.network.critic, real, fake, self.gamma, some))
        return sum(found)


def pairs(x: Tensor) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Of tiles (n, c, h, w): large ones, small ones of a common size, and the factor between them; the whole tile for the largest factor, a
    part of it for a smaller one. All are turned and mirrored alike, by torch's own stream."""
    turn, mirror = torch.randint(0, 4, ()).item(), torch.rand(()).item() < 0.5
    x = x.rot90(turn, (2, 3))
    x = x.flip(-1) if mirror else x
    for factor in FACTORS:
        side = x.shape[-1] * factor // FACTORS[-1]
        top, left = (torch.randint(0, x.shape[-1] - side + 1, ()).item() // factor * factor for _ in range(2))
        large = x[..., top : top + side, left : left + side]
        yield large, (255 * Bicubic(factor)(large)).round().clamp(0, 255) / 255, factor
