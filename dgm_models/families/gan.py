"""Generative adversarial networks: a generator turns a code into a picture, a critic tells it from real ones (Goodfellow et al.,
2014). The pair plays the relativistic game (Jolicoeur-Martineau, 2019): which of a real and a generated picture is the real one?

Both gradient penalties, R1 at real and R2 at generated pictures, make the game converge (Huang et al., 2024: R3GAN). There
is no density: log p(x) has no answer here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import NOTHING, Condition
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.guidance import fit_latent
from dgm_models.measurements import Disjoint, put_back_in_range
from dgm_models.networks import fitted
from dgm_models.probability import PART, steepness, truncated_normal
from dgm_models.spaces import Space
from dgm_models.turns import for_all

GUESSES = 4096  # codes that all searches choose their first one from
SIGHT = 0.25  # of them that one answer chooses from: with more it finds the label more often, and answers differ less


@dataclass(frozen=True)
class GANSettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the code; 0: the digit of code 0")
    truncation: float = knob(4.0, "Truncation", 0.1, 4.0, step=0.1, help="no number of a code lies further from 0 (4: hardly any would)")
    frames: int = knob(8, "Frames of the film", 1, 30, step=1, advanced=True)


@dataclass(frozen=True)
class GANRestoring(Settings):
    tries: int = knob(
        GUESSES, "First guesses", 64, 8192, step=64, help="codes from the prior, with every label; the best of a random quarter is refined"
    )
    steps: int = knob(60, "Steps", 0, 300, step=10)
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, advanced=True)


class GAN(Family):
    """Class-conditional. network.generator(z, labels) -> signal; network.critic(signal, labels) -> (n,).

    gamma weighs the gradient penalties, and falls as half a cosine to `last_gamma` where that is given (Huang et al., 2024); they are
    measured on the first `penalised` share of a batch, which keeps their mean.
    """

    Settings = GANSettings
    Restoring = GANRestoring
    restores = (Disjoint,)
    silent = "none: a generator and a critic, no density"

    def __init__(
        self,
        network: nn.Module,
        space: Space,
        latent: int,
        condition: Condition = NOTHING,
        gamma: float = 0.1,
        penalised: float = 0.25,
        drop: float = 0.1,
        last_gamma: float | None = None,
    ) -> None:
        super().__init__()
        self.network, self.space, self.latent, self.condition = fitted(network, space.shape), space, latent, condition
        self.gamma, self.penalised, self.drop = gamma, penalised, drop
        self.gammas = gamma, gamma if last_gamma is None else last_gamma
        self.fit_error = 0.02  # variance of a pixel around what a code decodes to, for codes that are searched
        self._guessed: dict[tuple[int, float], tuple[Tensor, Tensor, Tensor]] = {}

    def train(self, mode: bool = True) -> GAN:
        self._guessed.clear()  # weights are about to change, or have
        return super().train(mode)

    # the game ---------------------------------------------------------------------------------------------------------

    def players(self) -> dict[str, nn.Module]:
        return {"critic": self.network.critic, "generator": self.network.generator}

    def age(self, share: float) -> None:
        """The weight of the penalties for this share of training."""
        first, last = self.gammas
        self.gamma = last + (first - last) * (1 + math.cos(math.pi * share)) / 2

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "critic") -> Tensor:
        """softplus of how much the wrong one of a pair leads (Huang et al., 2024); the critic's with R1 and R2."""
        if player not in ("critic", "generator"):
            raise ValueError(f"expected player 'critic' or 'generator', got {player!r}")
        y = self.condition.drop(self.labels(y, len(x)).to(x.device), self.drop)
        real, z = self.space.to_signal(x), torch.randn(len(x), self.latent, device=x.device)
        if player == "generator":
            fake = self.network.generator(z, y)
            return F.softplus(self.network.critic(real, y) - self.network.critic(fake, y)).mean()
        fake = self.network.generator(z, y).detach()  # the critic must not teach the generator
        some = max(1, round(self.penalised * len(x)))
        judged = F.softplus(self.network.critic(fake, y) - self.network.critic(real, y)).mean()
        judge = lambda signal: self.network.critic(signal, y[:some])  # noqa: E731
        return judged + self.gamma / 2 * (steepness(judge, real[:some]) + steepness(judge, fake[:some]))

    @torch.no_grad()
    def score(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The critic's, (n,): higher is more real. Only differences between scores mean something."""
        return self.network.critic(self.space.to_signal(self.space.check(x)), self.labels(y, len(x))).float()

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: GANSettings | None = None) -> Iterator[Frame]:
        """One evaluation is enough; the film walks from code 0 out to the z that was drawn."""
        settings = settings or self.Settings()
        y, z = self.labels(y, len(noise)), self.codes(noise, settings)
        for i in range(1, settings.frames):
            share = (i - 1) / (settings.frames - 1)
            yield Frame(self._generate(share * z, y), f"generate: {share:.0%} of the way from code 0 to z")
        yield Frame(self._generate(z, y), "generate(z): a sample takes this one evaluation")

    def sample(self, noise: Noise, y: Tensor | None = None, settings: GANSettings | None = None) -> Tensor:
        """The last frame alone, which needs no film."""
        return super().sample(noise, y, replace(settings or self.Settings(), frames=1))

    def _generate(self, z: Tensor, y: Tensor) -> Tensor:
        return self.space.clamp(self._unbounded(z, y))

    def _unbounded(self, z: Tensor, y: Tensor) -> Tensor:
        """What is generated before it is cut to its range: at that cut a search turns on the last digits of a number."""
        return self.space.from_signal(self.network.generator(z, y).float())

    def codes(self, noise: Noise, settings: GANSettings) -> Tensor:
        """What samples are generated from, (n, latent)."""
        return settings.temperature * truncated_normal(noise.uniform(self.latent), settings.truncation)

    # latents ----------------------------------------------------------------------------------------------------------

    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """A code that generates nearly x, by descent from the best of several (Bora et al., 2017): (n, *shape) -> (n, latent)."""
        self.space.check(x)
        y, (codes, named, made) = self.labels(y, len(x)), self._guesses(GUESSES, 1.0)
        start = codes[_fittest(named == y[:, None], lambda row: self._misfit(made - x[row]))]
        *_, z = fit_latent(lambda z: self._misfit(self._unbounded(z, y) - x), start, steps=100)
        return z

    @torch.no_grad()
    def _guesses(self, count: int, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
        """Codes from the prior, labels in turn (the last: none) and what they generate, unbounded: the same for all searches, and
        kept until the next one asks for others, for they take seconds."""
        if (count, temperature) not in self._guessed:
            self._guessed.clear()
            codes, named = temperature * Noise(range(count)).normal(self.latent), torch.arange(count) % (self.classes + 1)
            parts = zip(codes.split(PART), named.split(PART), strict=True)
            with for_all():
                self._guessed[count, temperature] = codes, named, torch.cat([self._unbounded(*part) for part in parts])
        return self._guessed[count, temperature]

    def _misfit(self, off: Tensor, gain: float = 1.0) -> Tensor:
        """-log N of what a code leaves unexplained, (n,), without its constant."""
        return off.square().flatten(1).sum(1) / (2 * self.fit_error * gain)

    @torch.no_grad()
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """(n, latent) -> (n, *shape)."""
        return self._generate(self.check_code(z, (self.latent,)), self.labels(y, len(z)))

    def restore(
        self, seen: Tensor, measurement: Disjoint, noise: Noise, y: Tensor | None = None, settings: GANRestoring | None = None
    ) -> Iterator[Frame]:
        """Nearly samples of p(x | seen, y): from a first guess to a code that explains what was seen up to normal noise, and stays
        near a fresh draw from the prior (randomize then optimize); what was seen is put in its place."""
        self.check_measurement(seen, measurement, noise)
        settings, labels, gain = settings or self.Restoring(), self.labels(y, len(noise)), measurement.gain
        fresh = settings.temperature * self.fit_error**0.5 * measurement(noise.normal(*self.space.shape))
        codes, named, made = self._guesses(settings.tries, settings.temperature)
        made, passed_by = self.space.clamp(made), noise.uniform(settings.tries) >= SIGHT

        def misfit_of_guesses(row: int) -> Tensor:
            away = measurement.rows(torch.full((len(codes),), row))
            return self._misfit(away(made) - seen[row], gain) + 1e6 * passed_by[row]  # if none of the label is in sight, another

        # under any label where none was given, for p(x) is their mean
        open_to = torch.where((labels < self.classes)[:, None], named == labels[:, None], named < max(1, self.classes))
        best = _fittest(open_to, misfit_of_guesses)
        start, labels = codes[best], named[best]
        yield self._answer(start, labels, seen, measurement, "a code drawn from the prior that fits what was seen")
        misfit = lambda z: self._misfit(measurement(self._generate(z, labels)) - seen - fresh, gain)  # noqa: E731
        film = fit_latent(misfit, start, settings.temperature * noise.normal(self.latent), steps=settings.steps)
        for step, z in enumerate(film):
            yield self._answer(z, labels, seen, measurement, f"step {step + 1} of {settings.steps} towards what was seen")

    @torch.no_grad()
    def _answer(self, z: Tensor, y: Tensor, seen: Tensor, measurement: Disjoint, note: str) -> Frame:
        x = self._generate(z, y)
        return Frame(put_back_in_range(x, seen, measurement), note, x)


def _fittest(open_to: Tensor, misfit: Callable[[int], Tensor]) -> Tensor:
    """Of the guesses that a row may take, (n, count) bool, the one of least misfit(row), (count,): indices (n,)."""
    return torch.stack([torch.where(may, misfit(row), torch.inf).argmin() for row, may in enumerate(open_to)])
