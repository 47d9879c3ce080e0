"""The adversarial game as it was played from 2014 to 2019, on the networks of those years."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import NOTHING, Condition
from dgm_models.families.gan import GAN
from dgm_models.probability import steepness
from dgm_models.spaces import Space

GAMES = ("non-saturating", "Wasserstein", "R1")
STEEP, DRIFT = 10.0, 1e-3  # weights of the penalties of the Wasserstein game (Gulrajani et al., 2017; Karras et al., 2018)


class GANOfYear(GAN):
    """`game`: "non-saturating" (Goodfellow et al., 2014): the generator makes the critic sure that what it made is real; "Wasserstein":
    scores without a sigmoid, of a critic that is nowhere steeper than 1 (Arjovsky et al., 2017; Gulrajani et al., 2017); "R1": the first
    one with a critic that is flat at real pictures (Mescheder et al., 2018). The network is told how far training is, for it may grow."""

    def __init__(
        self,
        network: nn.Module,
        space: Space,
        latent: int,
        condition: Condition = NOTHING,
        game: str = "non-saturating",
        gamma: float = 1.0,
        drop: float = 0.0,
    ) -> None:
        super().__init__(network, space, latent, condition, gamma=gamma, drop=drop)
        if game not in GAMES:
            raise ValueError(f"expected a game of {', '.join(GAMES)}, got {game!r}")
        self.game = game

    def age(self, share: float) -> None:
        self.network.grow(share)

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "critic") -> Tensor:
        if player not in ("critic", "generator"):
            raise ValueError(f"expected player 'critic' or 'generator', got {player!r}")
        y = self.condition.drop(self.labels(y, len(x)).to(x.device), self.drop)
        real, z = self.space.to_signal(x), torch.randn(len(x), self.latent, device=x.device)
        judge = lambda signal: self.network.critic(signal, y)  # noqa: E731
        made = self.network.generator(z, y).float()
        if player == "generator":
            score = judge(made)
            return -score.mean() if self.game == "Wasserstein" else F.softplus(-score).mean()
        made = made.detach()
        true, false = judge(real), judge(made)
        if self.game == "Wasserstein":
            between = torch.lerp(real, made, torch.rand(len(x), 1, 1, 1, device=x.device)).requires_grad_()
            (slope,) = torch.autograd.grad(judge(between).sum(), between, create_graph=True)
            steep = (slope.flatten(1).norm(dim=1) - 1).square().mean()
            return false.mean() - true.mean() + STEEP * steep + DRIFT * true.square().mean()
        lost = F.softplus(-true).mean() + F.softplus(false).mean()
        return lost + self.gamma / 2 * steepness(judge, real) if self.game == "R1" else lost
