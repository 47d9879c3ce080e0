"""Variational autoencoders: a latent code z with a simple prior, a decoder p(x | z), and an encoder that guesses z
(Kingma and Welling, 2014; Rezende et al., 2014).

The prior is N(0, I) while the networks learn. Codes of real pictures do not fill it evenly, so a mixture may be fitted to
them afterwards, and is then the prior that samples, bounds and restorations use.

Pictures get a mixture of discretized logistics in each pixel (Salimans et al., 2017), so that log p is of the 8-bit levels
themselves; points get a normal distribution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from dgm_models.conditions import NOTHING, Condition
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.families.gaussian_mixture import GaussianMixture, MixtureSettings
from dgm_models.guidance import search_latent
from dgm_models.likelihoods import of_levels
from dgm_models.measurements import Disjoint, put_back_in_range
from dgm_models.networks import fitted
from dgm_models.probability import kl_normal, lerp, log_mean_exp, log_normal
from dgm_models.spaces import Reals, Space


@dataclass(frozen=True)
class VAESettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the latent noise; 0: the most typical picture")
    pixels: str = knob("mean", "Pixels", choices=("mean", "drawn"), help="the mean of p(x | z), or a draw from it, grain and all")
    frames: int = knob(8, "Frames of the film", 1, 30, step=1, advanced=True)


@dataclass(frozen=True)
class VAERestoring(Settings):
    tries: int = knob(64, "First guesses", 1, 256, step=1, help="codes drawn from the prior; the search starts from one that fits")
    steps: int = knob(60, "Langevin steps", 0, 300, step=10)
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, advanced=True)


class VAE(Family):
    """Class-conditional VAE. network.encode(signal, labels) -> (n, 2 latent); network.decode(z, labels) -> pixel parameters."""

    Settings = VAESettings
    Restoring = VAERestoring
    restores = (Disjoint,)
    evidence = "lower bound"

    def __init__(
        self,
        network: nn.Module,
        space: Space,
        latent: int,
        condition: Condition = NOTHING,
        beta: float = 1.0,
        drop: float = 0.1,
        mixture: int = 0,
    ) -> None:
        super().__init__()
        self.network, self.space, self.latent, self.condition = fitted(network, space.shape), space, latent, condition
        self.beta, self.drop, self.likelihood = beta, drop, of_levels(space)
        self.prior = None
        if mixture:
            prior = GaussianMixture(Reals((latent,)), condition.count, mixture, factors=min(8, latent), floor=0.05)
            self.prior = prior.requires_grad_(False)

    # the three terms --------------------------------------------------------------------------------------------------

    def posterior(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """q(z | x, y): mean and log standard deviation, each (n, latent)."""
        mean, log_std = self.network.encode(self.space.to_signal(x), y).float().chunk(2, dim=1)
        return mean, log_std.clamp(-8, 4)

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor) -> Tensor:
        """log p(x | z, y) in nats, (n,)."""
        return self.likelihood.log_prob(x, self.network.decode(z, y).float())

    def elbo(self, x: Tensor, y: Tensor, noise: Tensor, beta: float = 1.0) -> Tensor:
        """E_q[log p(x | z)] - beta KL(q || prior) with one draw z = mean + std noise, nats (n,)."""
        mean, log_std = self.posterior(x, y)
        z = mean + log_std.exp() * noise
        return self.log_likelihood(x, z, y) - beta * kl_normal(mean, log_std).sum(1)

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Negative ELBO a dimension, in nats (beta from the recipe: Higgins et al., 2017)."""
        y = self.condition.drop(self.labels(y, len(x)).to(x.device), self.drop)
        noise = torch.randn(len(x), self.latent, device=x.device)
        return -self.elbo(x, y, noise, self.beta).mean() / self.space.size

    @torch.no_grad()
    def finish(self, x: Tensor, y: Tensor) -> None:
        """Fit the mixture prior to the codes of the training pictures, [0, 1] (Ghosh et al., 2020, section 4)."""
        if self.prior is not None:
            for _ in self.prior.fit(self.drawn_codes(x, y), y, steps=40):
                pass

    @torch.no_grad()
    def drawn_codes(self, x: Tensor, y: Tensor) -> Tensor:
        """A code of each picture, drawn from q(z | x, y) by a generator of its own: (n, *shape), (n,) -> (n, latent)."""
        parts = [self.posterior(some, some_y) for some, some_y in zip(x.split(1000), y.split(1000), strict=True)]
        mean, log_std = (torch.cat(part) for part in zip(*parts, strict=True))
        return mean + log_std.exp() * torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))

    def log_prior(self, z: Tensor, y: Tensor) -> Tensor:
        """log p(z | y) in nats, (n, latent) -> (n,)."""
        if self.prior is None:
            return log_normal(z).sum(1)
        return self.prior.log_prob(z, torch.where(y == self.classes, -1, y))

    def draw_code(self, noise: Noise, y: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """The centre that a code starts from (0, or the mean of a component of the prior) and the code, each (n, latent)."""
        if self.prior is None:
            z = temperature * noise.normal(self.latent)
            return torch.zeros_like(z), z
        film = list(self.prior.trace(noise, torch.where(y == self.classes, -1, y), MixtureSettings(temperature=temperature)))
        return film[0].x, film[-1].x

    @torch.no_grad()
    def log_prob(self, x: Tensor, y: Tensor | None = None, k: int = 16) -> Tensor:
        """Importance-weighted lower bound of log p(x | y) with k codes (Burda et al., 2016, eq. 8), nats (n,).

        k = 1 is the ELBO. k from 1 to 1000; else ValueError.
        """
        if not 1 <= k <= 1000:
            raise ValueError(f"k: expected 1 to 1000 codes, got {k}")
        self.space.check(x)
        y, noise = self.labels(y, len(x)), Noise.of(x)
        mean, log_std = self.posterior(x, y)
        weights = []
        for _ in range(k):
            z = mean + log_std.exp() * noise.normal(self.latent)
            prior_over_posterior = self.log_prior(z, y) - log_normal(z, mean, log_std).sum(1)
            weights.append(self.log_likelihood(x, z, y) + prior_over_posterior)
        return log_mean_exp(torch.stack(weights), dim=0)

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: VAESettings | None = None) -> Iterator[Frame]:
        """One decoding is enough; the film walks from the centre of the prior out to the z that was drawn."""
        settings = settings or self.Settings()
        y = self.labels(y, len(noise))
        centre, z = self.draw_code(noise, y, settings.temperature)
        start = "the centre of the prior" if self.prior is None else "the centre of z's component of the prior"
        for i in range(1, settings.frames):
            share = (i - 1) / (settings.frames - 1)
            yield Frame(self._mean(lerp(centre, z, share), y), f"decode: {share:.0%} of the way from {start} to z")
        x = self._mean(z, y) if settings.pixels == "mean" else self._draw(z, y, noise)
        pixels = "" if settings.pixels == "mean" else f", each {self.space.unit} drawn from p(x | z)"
        yield Frame(x, f"decode(z), z drawn from the prior{pixels}: a sample takes this one evaluation")

    def sample(self, noise: Noise, y: Tensor | None = None, settings: VAESettings | None = None) -> Tensor:
        """The last frame alone, which needs no film."""
        return super().sample(noise, y, replace(settings or self.Settings(), frames=1))

    def _mean(self, z: Tensor, y: Tensor) -> Tensor:
        return self.likelihood.mean(self.network.decode(z, y).float())

    def pixel_moments(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of p(x | z, y), each (n, *shape), on the scale of x."""
        return self.likelihood.moments(self.network.decode(z, y).float())

    def _draw(self, z: Tensor, y: Tensor, noise: Noise) -> Tensor:
        return self.likelihood.draw(self.network.decode(z, y).float(), noise.uniform if self.likelihood.even else noise.normal)

    # latents ----------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The mean of q(z | x, y): (n, *shape) -> (n, latent)."""
        self.space.check(x)
        return self.posterior(x, self.labels(y, len(x)))[0]

    @torch.no_grad()
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The mean of p(x | z, y): (n, latent) -> (n, *shape)."""
        return self._mean(self.check_code(z, (self.latent,)), self.labels(y, len(z)))

    def restore(
        self, seen: Tensor, measurement: Disjoint, noise: Noise, y: Tensor | None = None, settings: VAERestoring | None = None
    ) -> Iterator[Frame]:
        """Samples of p(x | seen, y): a code z from p(z | seen) by Langevin dynamics, decoded; what was seen is put in its place."""
        self.check_measurement(seen, measurement, noise)
        settings = settings or self.Restoring()
        labels = self.labels(y, len(noise))
        film = search_latent(
            lambda z: self.pixel_moments(z, labels),
            lambda: self.draw_code(noise, labels, settings.temperature)[1],
            lambda z: self.log_prior(z, labels),
            seen,
            measurement,
            noise,
            tries=settings.tries,
            steps=settings.steps,
            temperature=settings.temperature,
        )
        for note, z in film:
            with torch.no_grad():
                x = self._mean(z, labels)
                answer = put_back_in_range(x, seen, measurement)
            yield Frame(answer, note, x)
