"""A generative flow network that builds binary pictures pixel by pixel, in proportion to a reward (Bengio et al., 2021).

The reward is what a restricted Boltzmann machine holds a picture worth, exp(-energy), which sums to an unknown Z: a chain would need
hundreds of sweeps for a draw, this takes one pass over the pixels. They are decided in one order, so only one way leads to a picture
and the backward policy is certain: balance is Z P(picture) = reward, along digits as along what the network itself draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Frame, Learner, Noise, Settings, knob
from dgm_models.networks.boltzmann import Layers
from dgm_models.networks.nade import NADE
from dgm_models.spaces import Space
from dgm_models.sweeps import Bits

PART = 50  # pictures whose chances are worked out at once
TRIED = 20  # ways of each label that a first guess of Z is from
FAR = 20.0  # nats of imbalance, beyond which one way shall not outweigh all others
LOUD = 100.0  # nats: log Z is learned in this unit, and so that much faster than weights


@dataclass(frozen=True)
class GFlowNetSettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="what the log-odds of each pixel are divided by")


class GFlowNet(Family):
    """Class-conditional. The network is the forward policy, `reward` a machine of the same units: log R(v, y) is its log-weight."""

    Settings = GFlowNetSettings
    evidence = "exact"
    binary = True
    borrows = MappingProxyType({"reward.": "network."})

    def __init__(self, network: NADE, space: Space, classes: int = 0, hidden: int = 500) -> None:
        """hidden: units of the machine that rewards."""
        super().__init__()
        self.network, self.space, self.condition, self.bits = network, space, Classes(classes), Bits(space)
        self.reward = Layers([self.bits.size, hidden], classes).requires_grad_(False)
        self.constants = nn.Parameter(torch.zeros(max(classes, 1), dtype=torch.float64))

    def players(self) -> dict[str, nn.Module]:
        """The policy and its constants; the reward is given."""
        return {"model": nn.ModuleDict({"network": self.network, "constants": nn.ParameterList([self.constants])})}

    @property
    def log_z(self) -> Tensor:
        """As learned, of each label: (classes,) nats."""
        return LOUD * self.constants

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        """Takes a Boltzmann machine's log-weight as the reward; begins as its mean field would guess, with Z as ways of that say."""
        if teacher is None:
            raise ValueError("a reward is needed: a Boltzmann machine that is trained")
        self.reward.load_state_dict(teacher.network.state_dict())
        self.network.start_at(self.reward)
        with torch.no_grad():
            y = torch.arange(len(self.constants)).repeat_interleave(TRIED)
            v = self.walk(y, torch.rand(len(y), self.bits.size))
            self.constants.copy_((self.log_reward(v, y) - self.log_policy(v, y)).view(-1, TRIED).mean(1) / LOUD)
        yield ""

    # balance ----------------------------------------------------------------------------------------------------------

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Squared imbalance (Malkin et al., 2022, eq. 14), beyond FAR nats in proportion to it, of the ways to the data and of as many that
        the policy itself goes: a mean over ways and units."""
        y = self.labels(y, len(x)).to(x.device)
        y = torch.where(y == self.classes, torch.randint(0, len(self.constants), y.shape, device=y.device), y)
        with torch.no_grad():
            own = self.walk(y, torch.rand(len(x), self.bits.size, device=x.device))
        v, y = torch.cat([self.bits.of(x, by_chance=True), own]), torch.cat([y, y])
        return F.huber_loss(*self.both_sides(v, y), delta=FAR) / self.bits.size

    def both_sides(self, v: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """log Z + log P_F of bits v (n, units) and their log R, each (n,): equal where trajectory balance holds."""
        return self.log_z[y].float() + self.log_policy(v, y), self.log_reward(v, y)

    def log_policy(self, v: Tensor, y: Tensor) -> Tensor:
        """log P_F of the one way to v, (n,) nats."""
        return -F.binary_cross_entropy_with_logits(self.network(v, y), v, reduction="none").sum(1)

    def log_reward(self, v: Tensor, y: Tensor) -> Tensor:
        """log R(v, y), (n,) nats: a constant short of log p of the machine that rewards."""
        if not self.classes:
            return self.reward.log_weights([v, v], (1,))[:, 0]
        return self.reward.log_by_label(v).gather(1, y[:, None])[:, 0]

    # sampling ---------------------------------------------------------------------------------------------------------

    def walk(self, y: Tensor, chance: Tensor, temperature: float = 1.0) -> Tensor:
        """The bits that the policy decides one after the other, for even numbers `chance` (n, units): (n, units)."""
        return list(self.steps(y, chance, temperature))[-1]

    def steps(self, y: Tensor, chance: Tensor, temperature: float = 1.0, every: int | None = None) -> Iterator[Tensor]:
        """The bits decided so far, the others 0, before the first, after so many each time (by default all), and at the end."""
        v, heard = torch.zeros_like(chance), self.network.begin(y)
        units = self.bits.size
        yield v.clone()
        for unit in range(units):
            logit = self.network.told(heard, unit) / max(temperature, 1e-3)
            v[:, unit] = (chance[:, unit] < logit.sigmoid()).float()
            heard = self.network.hear(heard, unit, v[:, unit])
            if unit + 1 == units or (every and (unit + 1) % every == 0):
                yield v.clone()

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: GFlowNetSettings | None = None) -> Iterator[Frame]:
        """Pixel by pixel, a frame a row of them."""
        settings, y = settings or self.Settings(), self.settled(y, noise)
        within = self.space.within(noise)
        chance, every = noise.uniform(self.bits.size), self.space.shape[-1] if within is None else None
        for count, v in enumerate(self.steps(y, chance, settings.temperature, every)):
            done = min(self.bits.size, count * (every or self.bits.size))
            yield Frame(self.bits.back(v, within), f"{done} of {self.bits.size} decided")

    # questions --------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """log p(x | y) of the picture in black and white, exact, (n,) nats; of the mean over all labels where none is given."""
        self.space.check(x)
        v, y = self.bits.of(x), self.labels(y, len(x))
        found = []
        for some, label in zip(v.split(PART), y.split(PART), strict=True):
            if self.classes and bool((label == self.classes).any()):
                each = torch.stack([self.log_policy(some, torch.full_like(label, k)) for k in range(self.classes)], dim=1)
                known = each.gather(1, label.clamp(max=self.classes - 1)[:, None])[:, 0]
                found.append(torch.where(label == self.classes, each.logsumexp(1) - torch.tensor(self.classes).log(), known))
            else:
                found.append(self.log_policy(some, label))
        return torch.cat(found) - self.bits.log_width()

    def constant(self) -> dict[str, float]:
        """log Z as learned, a mean over labels, and as annealed importance sampling found it for the machine that rewards."""
        return {"log_z_learned": float(self.log_z.mean()), "log_z_reward": float(self.reward.log_z)}
