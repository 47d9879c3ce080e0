"""MolGAN (De Cao and Kipf, 2018): a generator turns a code into the graph of a molecule at once, a critic tells graphs from real ones, and
a third network learns what graphs are rewarded with, so that the generator can be taught by its slope.

The critic plays the Wasserstein game with a penalty on its slope (Gulrajani et al., 2017, eq. 3). A graph may have bonds that no molecule
has; nothing but the critic, and the reward, which pays nothing for those, keeps it from that. What is paid well is made again and
again: the reward knows nothing of variety.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import Numbers
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.modalities import graph
from dgm_models.modalities.molecule import goals
from dgm_models.networks.graph import MolecularGame
from dgm_models.spaces import Graphs

PENALTY = 10.0
WORTH, PULL = 1.5, 2.0  # what being a molecule is worth, and what a goal is that is reached and wished for as much as can be


@dataclass(frozen=True)
class MolGANSettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the code and of what is left to chance; 0: one graph")


class MolGAN(Family):
    """y is the weight of each goal, in [-1, 1]. After the first `free` share of training the critic's word counts `trade`, the reward's the
    rest."""

    Settings = MolGANSettings
    silent = "none: a generator and a critic, no density"

    def __init__(self, network: MolecularGame, space: Graphs, condition: Numbers, free: float = 0.5, trade: float = 0.4) -> None:
        super().__init__()
        self.network, self.space, self.condition = network, space, condition
        self.free, self.after, self.trade = free, trade, 1.0
        one, other = space.pairs
        place = torch.full((space.atoms, space.atoms), len(one))  # of each two atoms among the pairs, the last for an atom and itself
        place[one, other] = place[other, one] = torch.arange(len(one))
        self.register_buffer("place", place, persistent=False)

    def players(self) -> dict[str, nn.Module]:
        return {"critic": self.network.critic, "reward": self.network.reward, "generator": self.network.generator}

    def age(self, share: float) -> None:
        self.trade = 1.0 if share < self.free else self.after

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "critic") -> Tensor:
        """Of the critic: how far it takes made graphs for real ones, and its penalty; of the reward: its squared error on real graphs, y of
        which is known, and made ones; of the generator: what both say of its graphs. Wishes are drawn anew."""
        if player not in self.players():
            raise ValueError(f"expected player 'critic', 'reward' or 'generator', got {player!r}")
        given, real = self._wishes(len(x), x.device), self._shares(x)
        z = torch.randn(len(x), self.network.latent, device=x.device)
        made = self._make(z, given, lambda *shape: torch.rand(shape, device=x.device))
        if player == "critic":
            made = tuple(part.detach() for part in made)  # the critic must not teach the generator
            return (self.network.critic(*made) - self.network.critic(*real)).mean() + PENALTY * self._steepness(real, made)
        if player == "reward":
            with torch.no_grad():
                known = given.new_zeros(len(x), len(self.condition.names)) if y is None else y.float()
                paid = torch.cat([F.pad(known, (1, 0), value=1.0), self.paid(self._settled(made))])
            told = torch.cat([self.network.reward(*real), self.network.reward(*(part.detach() for part in made))])
            return F.mse_loss(told, paid)
        worth = torch.cat([given.new_full((len(x), 1), WORTH), PULL * given[:, :-1]], 1)
        earned = (self.network.reward(*made) * worth).sum(1).mean()
        return -self.trade * self.network.critic(*made).mean() - (1 - self.trade) * earned

    def _wishes(self, n: int, device: torch.device) -> Tensor:
        names = len(self.condition.names)
        wish = (2 * torch.rand(n, names, device=device) - 1) * (torch.rand(n, names, device=device) < 0.5)
        return self.condition.check(wish, n)

    def paid(self, x: Tensor) -> Tensor:
        """Whether graphs are molecules, and what they have of each goal, 0 where they are none: (n, 1 + goals)."""
        none = (0.0,) * len(self.condition.names)
        return torch.tensor([(1.0, *goals(text)) if text else (0.0, *none) for text in graph.write(self.space, x)], device=x.device)

    def _steepness(self, real: tuple[Tensor, ...], made: tuple[Tensor, ...]) -> Tensor:
        """Squared excess of the critic's slope over 1 at graphs between real and made ones."""
        share = torch.rand(len(real[0]), 1, 1, device=real[0].device)
        between = [torch.lerp(a, b, share[..., None] if a.dim() == 4 else share).requires_grad_() for a, b in zip(real, made, strict=True)]
        slopes = torch.autograd.grad(self.network.critic(*between).sum(), between, create_graph=True)
        norm = sum(slope.square().flatten(1).sum(1) for slope in slopes)
        return ((norm + 1e-12).sqrt() - 1).square().mean()

    # graphs and shares ------------------------------------------------------------------------------------------------

    def _shares(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Graphs as rows of 0 and 1: (n, atoms, elements and none), (n, atoms, atoms, kinds and none)."""
        elements, bonds = self.space.split(x)
        return F.one_hot(elements, len(self.space.elements) + 1).float(), F.one_hot(bonds, self.space.bonds + 1).float()

    def _make(self, z: Tensor, given: Tensor, chance: Callable[..., Tensor]) -> tuple[Tensor, Tensor]:
        """Graphs drawn from what the generator says of each atom and each pair, by even numbers chance(n, .., kinds), such that slopes pass
        straight through (Jang et al., 2017). A bond takes an atom at either end."""
        elements, bonds = self.network.generator(z, given)
        one, other = self.space.pairs.to(z.device)
        atoms, pairs = _drawn(elements, chance), _drawn(bonds[:, one, other], chance)
        there = 1 - atoms[..., :1]
        kinds = there[:, one] * there[:, other] * pairs[..., 1:]
        pairs = torch.cat([1 - kinds.sum(2, keepdim=True), kinds], 2)
        none = F.one_hot(torch.zeros(len(z), 1, dtype=torch.long, device=z.device), self.space.bonds + 1).to(pairs.dtype)
        return atoms, torch.cat([pairs, none], 1)[:, self.place]

    def _settled(self, made: tuple[Tensor, Tensor]) -> Tensor:
        """Shares that are 0 and 1, as elements of the space, (n, *shape)."""
        return self.space.join(*(part.detach().argmax(-1) for part in made))

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: MolGANSettings | None = None) -> Iterator[Frame]:
        """One evaluation: nothing, then the whole graph."""
        settings, given = settings or self.Settings(), self.labels(y, len(noise)).clone()
        given[:, -1] = 1  # to wish for nothing is to give no goal a weight
        heat, z = settings.temperature, noise.normal(self.network.latent)
        made = self._make(heat * z, given, lambda *shape: 0.5 + heat * (noise.uniform(*shape[1:]) - 0.5))
        yield Frame(torch.zeros(len(noise), *self.space.shape, dtype=torch.long), "a code z")
        yield Frame(self._settled(made), "generate(z): all atoms and bonds at once")


def _drawn(logits: Tensor, chance: Callable[..., Tensor]) -> Tensor:
    """A kind for each row of logits, as 1 among 0; slopes are those of a softmax."""
    even = chance(*logits.shape).clamp(1e-6, 1 - 1e-6)
    soft = (logits - (-even.log()).log()).softmax(-1)
    hard = F.one_hot(soft.argmax(-1), logits.shape[-1]).to(soft.dtype)
    return hard + soft - soft.detach()
