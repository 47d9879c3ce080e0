"""Deep belief networks: a Boltzmann machine over features and labels, and below it a layer that only draws (Hinton, Osindero, Teh, 2006).

p(v, h, label) = p(v | h) p(h, label), where p(h, label) is a restricted Boltzmann machine whose visible units are the features h.
Learned greedily: first a machine of pictures and features; then, with its weights fixed, the one of features and labels above;
then all together, and what recognises upward and what draws downward, the same weights so far, go their own ways (wake and sleep).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Frame, Noise, Settings
from dgm_models.families.boltzmann import BoltzmannMachine, BoltzmannSettings
from dgm_models.networks.boltzmann import Belief
from dgm_models.spaces import Space
from dgm_models.sweeps import Bits, Chains, Moment, balance, contrast, dream, log_marginal, mean_field, misread, protocol, units_of

FIRST, ABOVE, ALL = range(3)  # what is being learned
TURNS = (0.3, 0.65)  # the shares of training after which the next begins


class DeepBelief(Family):
    """Class-conditional, with one layer that draws. The network holds the weights; pictures are on or off, pixel by pixel."""

    Settings = BoltzmannSettings
    evidence = "lower bound"
    binary = True

    def __init__(self, network: Belief, space: Space, classes: int = 0, sweeps: int = 1, chains: int = 100, telling: float = 0.0) -> None:
        """sweeps: of the chains, a step of training. telling: the weight of log p(label | h), beside that of log p(h | label)."""
        super().__init__()
        self.network, self.space, self.condition = network, space, Classes(classes)
        self.bits, self.sweeps, self.telling = Bits(space), sweeps, telling
        self.chains = {FIRST: Chains(chains), ABOVE: Chains(chains)}
        self.learning, self.quick = ALL, {"draws": 5}

    def observe(self, x: Tensor) -> None:
        """How often each unit is on in the data, levels (n, *shape) uint8 or reals: what learning starts from."""
        self.network.first.start_at(self.bits.rates(x))

    def age(self, share: float) -> None:
        """First the features, then what is above them, then all."""
        self.learning = FIRST if share < TURNS[0] else ABOVE if share < TURNS[1] else ALL

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """`contrast` of the first machine, then of the one above it; then of that one, with the nats of drawing v from its features
        (wake) and of recognising the features that a dream was drawn from (sleep; Hinton, Osindero and Teh, 2006, appendix B)."""
        labels, v, network = units_of(self.labels(y, len(x)), self.classes).to(x.device), self.bits.of(x, by_chance=True), self.network
        if self.learning == FIRST:
            with torch.no_grad():
                data = mean_field(network.first, v, labels[:, :0])
                dreams = self.chains[FIRST].go_on(network.first, self.sweeps)
                network.above.start_at(data[1].mean(0))
            return contrast(network.first, data, dreams)
        if self.learning == ABOVE:
            network.tie()
        with torch.no_grad():
            features = torch.bernoulli(network.features(v))
            data, dreams = mean_field(network.above, features, labels), self.chains[ABOVE].go_on(network.above, self.sweeps)
        loss, likely = contrast(network.above, data, dreams), network.features(v)
        if self.telling and self.classes:
            loss = loss + self.telling * misread(network.above, likely if self.learning == ALL else likely.detach(), labels)
        if self.learning == ABOVE:
            return loss
        asleep = torch.bernoulli(network.pictures(dreams[0]).detach())
        wake = F.binary_cross_entropy(network.pictures(features), v, reduction="none").sum(1).mean()
        sleep = F.binary_cross_entropy(network.features(asleep), dreams[0], reduction="none").sum(1).mean()
        return loss + wake + sleep

    def finish(self, x: Tensor, y: Tensor) -> None:
        """Estimate log Z of the machine above, and make all labels equally likely."""
        balance(self.network.above)

    def constant(self) -> dict[str, float | int]:
        """How log Z of the machine above was estimated, and how sure it is."""
        return protocol(self.network.above)

    @torch.no_grad()
    def log_prob(self, x: Tensor, y: Tensor | None = None, draws: int = 100) -> Tensor:
        """A lower bound of log p(x | y) of the picture in black and white, (n,) nats, or of the mean over all labels: importance-weighted
        over so many draws of the features (Burda et al., 2016), with log Z of the machine above an estimate."""
        self.space.check(x)
        v, label = self.bits.of(x), self.labels(y, len(x))
        likely, noise, network = self.network.features(v), Noise.of(x), self.network
        found = []
        for _ in range(draws):
            features = (noise.uniform(likely.shape[1]) < likely).float()
            says = F.binary_cross_entropy(network.pictures(features), v, reduction="none").sum(1)
            chosen = F.binary_cross_entropy(likely, features, reduction="none").sum(1)
            above = log_marginal(network.above, features, label, 1, noise)
            found.append(above - says + chosen)
        return torch.stack(found).logsumexp(0) - math.log(draws) - self.bits.log_width()

    @torch.no_grad()
    def recognise(self, x: Tensor) -> Tensor:
        """p(label | the features recognised in a picture), (n, classes), all of the uppermost units summed over."""
        above = self.network.above
        return (above.label_logits(self.network.features(self.bits.of(x))) + above.telling).softmax(1)

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: Settings | None = None) -> Iterator[Frame]:
        """Sweeps of the machine above, from units by chance, and each time the picture that its features draw, by its chances."""
        within = self.space.within(noise)
        at = None if self.space.discrete else noise.uniform(self.bits.size)
        for moment in self.dream(noise, y, settings):
            pictures = self.network.pictures(moment.states[0])
            yield Frame(self.bits.back(pictures if at is None else (at < pictures).float(), within), moment.note)

    @torch.no_grad()
    def dream(
        self, noise: Noise, y: Tensor | None = None, settings: Settings | None = None, begin: Tensor | None = None
    ) -> Iterator[Moment]:
        """The chain of the machine above, with the states of its layers: the features, what is above them, the label. It begins by
        chance, or with the features recognised in a picture (1, *shape)."""
        above, states = self.network.above, None
        if begin is not None:
            likely = self.network.features(self.bits.of(begin)).expand(len(noise), -1)
            rest = [torch.zeros(len(noise), size) for size in above.sizes[1:]]
            states = [(noise.uniform(likely.shape[1]) < likely).float(), *rest]
        yield from dream(above, noise, units_of(self.labels(y, len(noise)), self.classes), settings or self.Settings(), begin=states)


class GrowingBelief(DeepBelief):
    """A belief network that keeps what it was at moments of its training, for a replay."""

    def __init__(
        self,
        network: Belief,
        space: Space,
        classes: int = 0,
        *,
        firsts: Sequence[float],
        aboves: Sequence[float],
        sweeps: int = 1,
        chains: int = 100,
        telling: float = 0.0,
    ) -> None:
        """firsts, aboves: the shares of training after which the first machine and the one above it are kept, in order, the last of
        `firsts` when it has learned. As weights they are averaged over the steps like all others, for long after their moment."""
        super().__init__(network, space, classes, sweeps, chains, telling)
        self.at_shares = [*firsts, *aboves]
        if self.at_shares != sorted(self.at_shares) or firsts[-1] != TURNS[0] or aboves[-1] > TURNS[1]:
            raise ValueError(f"expected shares in order, the first machine's up to {TURNS[0]}, then up to {TURNS[1]}; got {self.at_shares}")
        self.firsts = nn.ModuleList(deepcopy(network.first).requires_grad_(False) for _ in firsts)
        self.aboves = nn.ModuleList(deepcopy(network.above).requires_grad_(False) for _ in aboves)
        network.evaluated = (network.above, *self.firsts, *self.aboves)

    def players(self) -> dict[str, nn.Module]:
        """The network alone learns."""
        return {"model": self.network}

    def age(self, share: float) -> None:
        """As of a belief network; a copy goes along until its moment."""
        super().age(share)
        sources = [self.network.first] * len(self.firsts) + [self.network.above] * len(self.aboves)
        for at, kept, source in zip(self.at_shares, [*self.firsts, *self.aboves], sources, strict=True):
            if share <= at:
                kept.load_state_dict(source.state_dict())

    def stage(self, index: int) -> Family:
        """The model at a kept moment: of the first machine alone, which knows no labels; then with what was above it; and after the
        last of them the network itself."""
        if index < len(self.firsts):
            return BoltzmannMachine(self.firsts[index], self.space)
        if index == len(self.at_shares):
            return self
        first, above = self.firsts[-1], self.aboves[index - len(self.firsts)]
        network = Belief(self.bits.size, first.sizes[1], above.sizes[1], self.classes)
        network.first, network.above = first, above
        network.tie()
        return DeepBelief(network, self.space, self.classes)

    def filters(self, index: int) -> Tensor:
        """What each feature of the first machine has to do with each pixel at a kept moment: (features, visible)."""
        first = self.network.first if index == len(self.at_shares) else self.firsts[min(index, len(self.firsts) - 1)]
        return first.weights[0].T
