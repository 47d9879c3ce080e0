"""Translating between two kinds of pictures without pairs (Zhu et al., 2017: CycleGAN): each way has a generator and a critic, and there
and back again one should be where one was."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.contracts import Learner
from dgm_models.probability import lead, penalised_lead
from dgm_models.spaces import Pixels


class Cycle(Learner):
    """network.ways[kind](signal) -> the signal as that kind; network.critics[kind](signal) -> a score a patch, higher for that kind.

    back: what a mean absolute error of the way there and back weighs beside the critics' word; same: what it weighs that a picture of that
    kind already is changed. grain: the standard deviation of the noise that a translated signal carries on its way back while it learns,
    so that nothing can be hidden in shades that nobody sees (Chu et al., 2017; Bashkirova et al., 2019). moves: pixels that a signal is
    moved by at most before a critic sees it, and mirrored half of the time where it is not 0, so that few pictures are not learned by heart
    (Zhao et al., 2020). gamma, penalised: of R1 and R2 (Huang et al., 2024), and of how much of a batch.
    """

    def __init__(
        self,
        network: nn.Module,
        space: Pixels,
        back: float = 10.0,
        same: float = 2.0,
        grain: float = 0.0,
        moves: int = 0,
        gamma: float = 0.05,
        penalised: float = 0.5,
    ) -> None:
        super().__init__()
        self.network, self.space, self.classes = network, space, 2
        self.back, self.same, self.grain, self.moves = back, same, grain, moves
        self.gamma, self.penalised = gamma, penalised

    def players(self) -> dict[str, nn.Module]:
        return {"critic": self.network.critics, "generator": self.network.ways}

    @torch.no_grad()
    def translate(self, x: Tensor, to: int) -> Tensor:
        """Pictures (n, *shape) in [0, 1] of the other kind as the kind `to`, 0 or 1. ValueError for another one."""
        if to not in (0, 1):
            raise ValueError(f"expected to translate to the kind 0 or 1, got {to!r}")
        signal = self.space.to_signal(self.space.check(x))
        return self.space.clamp(self.space.from_signal(self.network.ways[to](signal).float()))

    def judged(self, kind: int, signal: Tensor) -> Tensor:
        """A critic's scores of signals (n, *shape), moved about where it is to be."""
        return self.network.critics[kind](moved(signal, self.moves) if self.moves else signal)

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "critic") -> Tensor:
        """The relativistic game of pairs (Jolicoeur-Martineau, 2019) for both ways; x: of both kinds, which y tells, in no order."""
        if player not in ("critic", "generator"):
            raise ValueError(f"expected player 'critic' or 'generator', got {player!r}")
        both = [self.space.to_signal(x[y == kind]) for kind in (0, 1)]
        some = min(map(len, both))
        if not some:
            return sum(p.sum() for p in self.network.parameters()) * 0  # a batch of one kind teaches nothing
        both = [each[:some] for each in both]
        ways, critics = self.network.ways, [partial(self.judged, kind) for kind in (0, 1)]
        made = [ways[kind](both[1 - kind]) for kind in (0, 1)]
        if player == "critic":
            return sum(
                penalised_lead(critics[kind], both[kind], made[kind].detach(), self.gamma, max(1, round(self.penalised * some)))
                for kind in (0, 1)
            )
        won = sum(lead(critics[kind](both[kind]), critics[kind](made[kind])) for kind in (0, 1))
        grainy = [each + self.grain * torch.randn_like(each) for each in made]
        off = sum((ways[1 - kind](grainy[kind]) - both[1 - kind]).abs().mean() for kind in (0, 1))
        changed = sum((ways[kind](both[kind]) - both[kind]).abs().mean() for kind in (0, 1))
        return won + self.back * off + self.same * changed


def moved(x: Tensor, most: int) -> Tensor:
    """Each of x (n, c, h, w) moved by up to so many pixels, its edges drawn out, and mirrored or not, by torch's own stream."""
    n, _, high, wide = x.shape
    by = torch.randint(2 * most + 1, (2, n, 1), device=x.device)
    down, across = (off + torch.arange(side, device=x.device) for off, side in zip(by, (high, wide), strict=True))
    mirrored = torch.rand(n, 1, device=x.device) < 0.5
    across = torch.where(mirrored, across.flip(1), across)
    wider = F.pad(x, (most, most, most, most), mode="replicate")
    return wider[torch.arange(n, device=x.device)[:, None, None], :, down[:, :, None], across[:, None]].movedim(-1, 1)
