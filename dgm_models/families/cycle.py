"""Translating between two kinds of pictures without pairs (Zhu et al., 2017: CycleGAN): each way has a generator and a critic, and there
and back again one should be where one was."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dgm_models.contracts import Learner
from dgm_models.probability import lead, penalised_lead
from dgm_models.spaces import Pixels


class Cycle(Learner):
    """network.ways[kind](signal) -> the signal as that kind; network.critics[kind](signal) -> a score a patch, higher for that kind.

    back: what a mean absolute error of the way there and back weighs beside the critics' word; same: what it weighs that a picture of that
    kind already is changed. gamma, penalised: of R1 and R2 (Huang et al., 2024), and of how much of a batch.
    """

    def __init__(
        self, network: nn.Module, space: Pixels, back: float = 10.0, same: float = 2.0, gamma: float = 0.05, penalised: float = 0.5
    ) -> None:
        super().__init__()
        self.network, self.space, self.classes = network, space, 2
        self.back, self.same, self.gamma, self.penalised = back, same, gamma, penalised

    def players(self) -> dict[str, nn.Module]:
        return {"critic": self.network.critics, "generator": self.network.ways}

    @torch.no_grad()
    def translate(self, x: Tensor, to: int) -> Tensor:
        """Pictures (n, *shape) in [0, 1] of the other kind as the kind `to`, 0 or 1. ValueError for another one."""
        if to not in (0, 1):
            raise ValueError(f"expected to translate to the kind 0 or 1, got {to!r}")
        signal = self.space.to_signal(self.space.check(x))
        return self.space.clamp(self.space.from_signal(self.network.ways[to](signal).float()))

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "critic") -> Tensor:
        """The relativistic game of pairs (Jolicoeur-Martineau, 2019) for both ways; x: of both kinds, which y tells, in no order."""
        if player not in ("critic", "generator"):
            raise ValueError(f"expected player 'critic' or 'generator', got {player!r}")
        both = [self.space.to_signal(x[y == kind]) for kind in (0, 1)]
        some = min(map(len, both))
        if not some:
            return sum(p.sum() for p in self.network.parameters()) * 0  # a batch of one kind teaches nothing
        both = [each[:some] for each in both]
        ways, critics = self.network.ways, self.network.critics
        made = [ways[kind](both[1 - kind]) for kind in (0, 1)]
        if player == "critic":
            return sum(
                penalised_lead(critics[kind], both[kind], made[kind].detach(), self.gamma, max(1, round(self.penalised * some)))
                for kind in (0, 1)
            )
        won = sum(lead(critics[kind](both[kind]), critics[kind](made[kind])) for kind in (0, 1))
        off = sum((ways[1 - kind](made[kind]) - both[1 - kind]).abs().mean() for kind in (0, 1))
        changed = sum((ways[kind](both[kind]) - both[kind]).abs().mean() for kind in (0, 1))
        return won + self.back * off + self.same * changed
