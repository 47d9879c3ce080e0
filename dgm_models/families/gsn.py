"""Generative stochastic networks: a chain whose every step is a corruption and a learned draw of what was there before it.

Here the hidden state is the corrupted picture: x~ = t x + (1 - t) noise, then x is drawn from P(x | x~), pixel by pixel, which a network
learns as denoising (Bengio et al., 2013; the case of generative stochastic networks in Bengio et al., 2014, section 3.2). If P were
exact, the chain would keep p(x) at any level of noise. Walkback trains on states of the chain itself, so that it finds its way back
to the data. The network knows the level, so that the same denoiser can also be run once, or along the falling levels of diffusion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dgm_models.conditions import NOTHING, Condition
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.families.diffusion import beside, draw_times, in_parts
from dgm_models.likelihoods import of_bits
from dgm_models.measurements import Hide, Linear
from dgm_models.networks import fitted
from dgm_models.samplers import ddpm, times
from dgm_models.spaces import Space

CHAIN, ANNEALED, ONCE = "GSN chain", "annealed diffusion", "one denoising"


@dataclass(frozen=True)
class GSNSettings(Settings):
    sampler: str = knob(CHAIN, "Sampler", choices=(CHAIN, ANNEALED, ONCE), help="what the one denoiser is used for")
    sweeps: int = knob(30, "Sweeps", 1, 300, step=1, help="corrupt and draw, so often; or the steps of diffusion")
    level: float = knob(0.6, "Noise σ", 0.2, 0.9, step=0.05, help="of the chain: more mixes faster and draws less sharply")
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the noise that corrupts")


@dataclass(frozen=True)
class GSNRestoring(Settings):
    sweeps: int = knob(30, "Sweeps", 1, 300, step=1)
    level: float = knob(0.6, "Noise σ", 0.2, 0.9, step=0.05)
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, advanced=True)


class Walk(NamedTuple):
    """Rows of training: the data they set out from, their label and level, and the corrupted state that is to be led back."""

    x: Tensor
    y: Tensor
    t: Tensor
    noisy: Tensor


class GSN(Family):
    """Class-conditional. network(x~ (n, *shape), t (n,), labels (n,)) -> pixel logits like x~; for reals (n, 2 size), mean and log std."""

    Settings = GSNSettings
    Restoring = GSNRestoring
    restores = (Hide,)
    silent = "its p(x) is wherever the chain comes to rest, which has no formula"

    def __init__(self, network: nn.Module, space: Space, condition: Condition = NOTHING, drop: float = 0.2, walking: float = 0.5) -> None:
        """drop: the share of labels left out. walking: the share of the rows of a step that go on from the step before."""
        super().__init__()
        self.network, self.space, self.condition, self.drop, self.walking = fitted(network, space.shape), space, condition, drop, walking
        self.likelihood, self.walkers = of_bits(space), None

    # training ---------------------------------------------------------------------------------------------------------

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """-log P(data | corrupted), a mean over pixels: of fresh corruptions, and of walks that went on from them for one step or
        more and are still asked for the data that they set out from (walkback: Bengio et al., 2013, algorithm 1)."""
        rows = self._set_out(x, self.condition.drop(self.labels(y, len(x)).to(x.device), self.drop))
        out = self.network(rows.noisy, rows.t, rows.y).float()
        self._go_on(rows, out.detach(), round(len(x) * self.walking / (1 - self.walking)))
        return -self.likelihood.log_prob(rows.x, out).mean() / self.space.size

    @torch.compiler.disable
    def _set_out(self, x: Tensor, y: Tensor) -> Walk:
        t = draw_times(len(x), x.device)
        fresh = Walk(x, y, t, self._corrupted(x, beside(t, x), torch.randn_like(x)))
        before, self.walkers = self.walkers, None
        return fresh if before is None else Walk(*(torch.cat(both) for both in zip(fresh, before, strict=True)))

    @torch.compiler.disable
    def _go_on(self, rows: Walk, out: Tensor, count: int) -> None:
        chosen = torch.randperm(len(rows.x), device=out.device)[:count]
        some, chance = out[chosen], torch.rand if self.likelihood.even else torch.randn
        drawn = self.likelihood.draw(some, lambda *shape: chance(len(some), *shape, device=out.device))
        t = rows.t[chosen]
        self.walkers = Walk(rows.x[chosen], rows.y[chosen], t, self._corrupted(drawn, beside(t, drawn), torch.randn_like(drawn)))

    # the step ---------------------------------------------------------------------------------------------------------

    def _corrupted(self, x: Tensor, t: Tensor | float, fresh: Tensor) -> Tensor:
        return t * self.space.to_signal(x) + (1 - t) * fresh

    def _guess(self, noisy: Tensor, t: float, y: Tensor) -> Tensor:
        return in_parts(self.network, noisy, torch.full((len(noisy),), t), y).float()

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: GSNSettings | None = None) -> Iterator[Frame]:
        """The chain from one guess out of pure noise, or the same denoiser run otherwise; frames show the mean of P(x | x~)."""
        settings, y = settings or self.Settings(), self.labels(y, len(noise))
        start = settings.temperature * noise.normal(*self.space.shape)
        if settings.sampler == ANNEALED:
            fresh = lambda: settings.temperature * noise.normal(*self.space.shape)  # noqa: E731
            denoise = lambda x, t: self.space.to_signal(self.likelihood.mean(self._guess(x, t, y)))  # noqa: E731
            for t, at, guess in ddpm(denoise, start, times(settings.sweeps, "uniform log-SNR"), fresh):
                x = self.space.from_signal(at)
                yield Frame(
                    self.space.clamp(x) if t == 1 else x, f"diffusion   σ = {1 - t:.2f}", self.space.clamp(self.space.from_signal(guess))
                )
            return
        yield Frame(self.space.from_signal(start), "pure noise")
        out = self._guess(start, 0.0, y)
        if settings.sampler == ONCE:
            yield Frame(self.likelihood.mean(out), "one denoising: the mean of all that it could have been")
            return
        yield from self.chain(self._drawn(out, noise), noise, y, settings)

    @torch.no_grad()
    def chain(
        self,
        x: Tensor,
        noise: Noise,
        y: Tensor,
        settings: GSNSettings | GSNRestoring,
        hold: Callable[[Tensor], Tensor] = lambda x: x,
    ) -> Iterator[Frame]:
        """Sweeps from x (n, *shape): corrupt, then draw; y (n,) in 0..classes. `hold` puts what is known in its place after each."""
        t = 1 - settings.level
        for sweep in range(1, settings.sweeps + 1):
            corrupted = self._corrupted(hold(x), t, settings.temperature * noise.normal(*self.space.shape))
            out = self._guess(corrupted, t, y)
            x = self._drawn(out, noise)
            yield Frame(hold(self.likelihood.mean(out) if self.space.discrete else x), f"sweep {sweep}   σ = {settings.level:.2f}")

    def _drawn(self, out: Tensor, noise: Noise) -> Tensor:
        """From P(x | x~)."""
        return self.likelihood.draw(out, noise.uniform if self.likelihood.even else noise.normal)

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Linear, noise: Noise, y: Tensor | None = None, settings: GSNRestoring | None = None
    ) -> Iterator[Frame]:
        """The same chain with the pixels that were seen put back after every draw (Bengio et al., 2014, section 3.3)."""
        self.check_measurement(seen, measurement, noise)
        settings, y = settings or self.Restoring(), self.labels(y, len(noise))
        hold = lambda x: measurement.put_back(x, seen)  # noqa: E731
        start = self.space.clamp(self.space.from_signal(noise.normal(*self.space.shape)))
        yield from self.chain(hold(start), noise, y, settings, hold)
