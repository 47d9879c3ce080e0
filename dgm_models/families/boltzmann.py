"""Boltzmann machines: binary units in layers, each joined to the next, and p(all of them) = exp(-energy) / Z (Hinton, Sejnowski, 1983).

One hidden layer makes a restricted Boltzmann machine (RBM), two a deep one (DBM; Salakhutdinov and Hinton, 2009); the label is a
layer of its own above the last. Given its neighbours a layer's units are independent, so a sweep draws every second layer at once,
then the others. Learning lowers the energy of digits and raises that of chains that never stop (persistent contrastive divergence,
Tieleman, 2008); the layers of a deep machine first learn pair by pair. The constant Z, sum over all states, comes from annealed
importance sampling (Neal, 2001).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.measurements import Hide, Linear
from dgm_models.networks.boltzmann import Layers
from dgm_models.spaces import Space
from dgm_models.sweeps import (
    LEARNING,
    Bits,
    Chains,
    Moment,
    balance,
    contrast,
    dream,
    log_marginal,
    mean_field,
    misread,
    protocol,
    units_of,
)


@dataclass(frozen=True)
class BoltzmannSettings(Settings):
    sweeps: int = knob(200, "Sweeps", 2, 1000, step=1, help="how often all layers are drawn anew, each given its neighbours")
    annealed: float = knob(
        0.5, "Annealed share", 0.0, 1.0, step=0.05, help="the share of sweeps in which the energy is faded in from nothing"
    )
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="what the energy is divided by at the end")


@dataclass(frozen=True)
class BoltzmannRestoring(Settings):
    sweeps: int = knob(60, "Sweeps", 2, 1000, step=1)
    annealed: float = knob(0.7, "Annealed share", 0.0, 1.0, step=0.05, advanced=True)
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, advanced=True)


class BoltzmannMachine(Family):
    """Of one hidden layer or more, class-conditional. The network holds the weights; pictures are on or off, pixel by pixel."""

    Settings = BoltzmannSettings
    Restoring = BoltzmannRestoring
    restores = (Hide,)
    binary = True

    def __init__(self, network: Layers, space: Space, classes: int = 0, sweeps: int = 1, chains: int = 100, telling: float = 0.0) -> None:
        """sweeps: of the chains, a step of training. telling: the weight of log p(label | v) beside log p(v, label), while labels stand
        over one hidden layer."""
        super().__init__()
        self.network, self.space, self.condition = network, space, Classes(classes)
        self.bits, self.sweeps, self.telling, self.chains = Bits(space), sweeps, telling, Chains(chains)
        self.evidence = "lower bound" if network.top > 1 else "estimate"
        self.quick = {"draws": 5}

    def observe(self, x: Tensor) -> None:
        """How often each unit is on in the data, levels (n, *shape) uint8 or reals: what learning starts from."""
        self.network.start_at(self.bits.rates(x))

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """`contrast` of data, with hidden units at their mean field, and chains (Salakhutdinov and Hinton, 2009, section 2.1); with
        `telling` the cross-entropy of the label beside it. Its slope is what counts, not its height."""
        return self._contrast(self.network, self.chains, *self._units(x, y))

    def _units(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """The visible units of data, and their labels."""
        return self.bits.of(x, by_chance=True), units_of(self.labels(y, len(x)), self.classes).to(x.device)

    def _contrast(self, machine: Layers, chains: Chains, v: Tensor, labels: Tensor, at_data: bool = False) -> Tensor:
        """What `loss` says, of any machine and its chains, which may begin at the data."""
        with torch.no_grad():
            data = mean_field(machine, v, labels, LEARNING)
            dreams = chains.go_on(machine, self.sweeps, data if at_data else None)
            if machine.centred:
                machine.follow([torch.cat(both) for both in zip(data, dreams, strict=True)])
        loss = contrast(machine, data, dreams)
        if self.telling and machine.classes and machine.top == 1:
            loss = loss + self.telling * misread(machine, v, labels)
        return loss

    def finish(self, x: Tensor, y: Tensor) -> None:
        """Estimate log Z, and make all labels equally likely."""
        balance(self.network)

    def constant(self) -> dict[str, float | int]:
        """How log Z was estimated, and how sure it is."""
        return protocol(self.network)

    @torch.no_grad()
    def log_prob(self, x: Tensor, y: Tensor | None = None, draws: int = 20) -> Tensor:
        """log p(x | y) of the picture in black and white, (n,) nats, or of the mean over all labels, as `log_given` says."""
        self.space.check(x)
        v = self.bits.of(x)
        return log_marginal(self.network, v, self.labels(y, len(x)), draws, Noise.of(x)) - self.bits.log_width()

    def recognise(self, x: Tensor) -> Tensor:
        """p(label | picture), (n, classes), by Bayes' rule: labels are equally likely, so it is p(picture | label) over its sum."""
        each = [self.log_prob(x, torch.full((len(x),), label), **self.quick) for label in range(self.classes)]
        return torch.stack(each, dim=1).softmax(1)

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: BoltzmannSettings | None = None) -> Iterator[Frame]:
        """Sweeps from units by chance, the energy faded in; what is shown of each pixel is how likely it is on."""
        within = self._within(noise)
        for moment in self.dream(noise, y, settings):
            yield Frame(self._shown(moment, within), moment.note)

    @torch.no_grad()
    def dream(self, noise: Noise, y: Tensor | None = None, settings: BoltzmannSettings | None = None) -> Iterator[Moment]:
        """The chain that `trace` shows, with the states of all layers."""
        yield from dream(self.network, noise, units_of(self.labels(y, len(noise)), self.classes), settings or self.Settings())

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Linear, noise: Noise, y: Tensor | None = None, settings: BoltzmannRestoring | None = None
    ) -> Iterator[Frame]:
        """The same chain with the pixels that were seen held, on or off; the label is drawn with the rest unless it is given."""
        self.check_measurement(seen, measurement, noise)
        mask = measurement(torch.ones(len(noise), *self.space.shape)).flatten(1) > 0.5
        held, within = self.bits.of(seen), self._within(noise)

        def hold(layer: int, drawn: Tensor) -> Tensor:
            return drawn if layer else torch.where(mask, held, drawn)

        for moment in dream(self.network, noise, units_of(self.labels(y, len(noise)), self.classes), settings or self.Restoring(), hold):
            yield Frame(measurement.put_back(self._shown(moment, within), seen), moment.note)

    def _within(self, noise: Noise) -> Tensor | None:
        return self.space.within(noise)

    def _shown(self, moment: Moment, within: Tensor | None) -> Tensor:
        """The visible units: pixels by the chance that they are on, reals as what they are."""
        states, beta, _ = moment
        return self.bits.back(states[0] if within is not None else self.network.chances(states, 0, beta), within)


@dataclass(frozen=True)
class DeepBoltzmannSettings(BoltzmannSettings):
    sweeps: int = knob(400, "Sweeps", 2, 1000, step=1, help="how often all layers are drawn anew, each given its neighbours")
    annealed: float = knob(
        0.25, "Annealed share", 0.0, 1.0, step=0.05, help="the share of sweeps in which the energy is faded in from nothing"
    )


@dataclass(frozen=True)
class DeepBoltzmannRestoring(BoltzmannRestoring):
    sweeps: int = knob(200, "Sweeps", 2, 1000, step=1)
    annealed: float = knob(0.25, "Annealed share", 0.0, 1.0, step=0.05, advanced=True)


class DeepBoltzmann(BoltzmannMachine):
    """Of two hidden layers or more, learned pair by pair, each machine of a pair on what the one below recognises, and then as one
    (Salakhutdinov and Hinton, 2009, section 3, but that weights between hidden layers are weakened when pairs are joined)."""

    Settings = DeepBoltzmannSettings
    Restoring = DeepBoltzmannRestoring

    def __init__(
        self,
        network: Layers,
        space: Space,
        classes: int = 0,
        greedy: Sequence[float] = (),
        sweeps: int = 1,
        chains: int = 100,
        telling: float = 0.0,
    ) -> None:
        """greedy: the shares of training after which the next pair of layers begins to learn alone and, after the last of them, all
        layers together; the network is centred. The others are as of a
        Boltzmann machine."""
        super().__init__(network, space, classes, sweeps, chains, telling)
        self.greedy = tuple(greedy)
        if len(self.greedy) != network.top or not network.centred:
            raise ValueError(f"expected centred layers and a share for each of {network.top} hidden ones, got {len(self.greedy)}")
        self.alone = [Chains(self.chains.count) for _ in greedy]
        self.register_buffer("stage", torch.tensor(len(self.greedy)))

    def age(self, share: float) -> None:
        """Which layers learn; when all begin to, they are joined."""
        stage = sum(share >= turn for turn in self.greedy)
        if self.stage < stage == len(self.greedy):
            self.network.join()
        self.stage.fill_(stage)

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """As of a Boltzmann machine, for the pair of layers that learns now, or for all; all chains but the first pair's begin at data."""
        (v, labels), stage = self._units(x, y), int(self.stage)
        if stage == len(self.greedy):
            return self._contrast(self.network, self.chains, v, labels, at_data=True)
        for layer in range(stage):
            v = torch.bernoulli(self.network.pair(layer).chances([v, v], 1)).detach()
        pair = self.network.pair(stage)
        return self._contrast(pair, self.alone[stage], v, labels[:, : pair.classes], at_data=stage > 0)
