"""Diffusion: learn to remove a little noise, then remove it many times over (Ho et al., 2020; Lipman et al., 2023).

The path is straight: x_t = t x + (1 - t) noise, from noise at t = 0 to data at t = 1. The network predicts the velocity
x - noise. Every sampler speaks in alpha = t, sigma = 1 - t, so it would run on any other path with those two changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn

from dgm_models.conditions import NOTHING, Condition
from dgm_models.contracts import Family, Frame, Learner, Noise, Settings, knob
from dgm_models.guidance import follow_measurement, infer_labels, weigh_hypotheses
from dgm_models.measurements import Linear, put_back_in_range
from dgm_models.networks import fitted
from dgm_models.probability import lerp, log_normal
from dgm_models.samplers import GRIDS, SAMPLERS, times
from dgm_models.spaces import Space

PART = 64  # pictures that go through the network at once: 4,000 take 1.7 times as long apiece
FINEST = 3.5  # logit t where encoding and likelihood meet the data: noise of 3 % of half the grey range


@dataclass(frozen=True)
class DiffusionSettings(Settings):
    steps: int = knob(8, "Steps", 1, 100, step=1, help="one evaluation each, two while guided, and twice that with Heun")
    guidance_scale: float = knob(1.8, "Guidance scale", 0.0, 6.0, step=0.1, help="1: none; more: follow the label harder")
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the noise that sampling starts from")
    guide_from: float = knob(0.2, "Guide from t", 0.0, 1.0, step=0.05, advanced=True, help="earlier steps settle the style, not the digit")
    guide_until: float = knob(0.6, "Guide until t", 0.0, 1.0, step=0.05, advanced=True, help="later steps go without, at half the cost")
    sampler: str = knob("DPM-Solver++(2M)", "Sampler", choices=tuple(SAMPLERS), advanced=True)
    grid: str = knob("uniform t", "Time grid", choices=tuple(GRIDS), advanced=True, help="how the steps are spread over the path")


@dataclass(frozen=True)
class DiffusionRestoring(Settings):
    steps: int = knob(16, "Steps", 2, 100, step=1)
    guidance_scale: float = knob(1.0, "Guidance scale", 0.0, 6.0, step=0.1, advanced=True)
    label_steps: int = knob(6, "Steps to infer the label", 0, 30, step=1, advanced=True, help="0: restore without a label")
    solves: int = knob(
        2, "Solver steps a step", 0, 5, step=1, help="how exactly each prediction is conditioned on what was seen, an evaluation each"
    )
    churn: float = knob(1.0, "Fresh noise", 0.0, 1.0, step=0.1, advanced=True, help="0: none after the first step; 1: ancestral")


class Diffusion(Family):
    """Class-conditional flow matching with classifier-free guidance, on pictures or on points.

    network(x_t, t (n,), labels (n,)) -> velocity, like x_t. apart: where it begins as a teacher, how far of the way from there to where
    training led it ends.
    """

    Settings = DiffusionSettings
    Restoring = DiffusionRestoring
    restores = (Linear,)
    quick = MappingProxyType({"steps": 12})  # within 2 % of what 32 steps give

    def __init__(self, network: nn.Module, space: Space, condition: Condition = NOTHING, drop: float = 0.1, apart: float = 1.0) -> None:
        super().__init__()
        self.network, self.space, self.condition, self.drop, self.apart = fitted(network, space.shape), space, condition, drop, apart
        self.evidence = "lower bound" if space.discrete else "estimate"
        # log of how often each grey level occurs in the training data: the decoder of the last noise, see log_prob
        self.register_buffer("log_prior", torch.full((256,), -math.log(256)))

    # training ---------------------------------------------------------------------------------------------------------

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Mean squared error of the velocity (Lipman et al., 2023, eq. 23)."""
        y = self.condition.drop(self.labels(y, len(x)).to(x.device), self.drop)
        t = draw_times(len(x), x.device)
        data, noise = self.space.to_signal(x), torch.randn_like(x)
        x_t = beside(t, x) * data + (1 - beside(t, x)) * noise
        return (self.network(x_t, t, y) - (data - noise)).square().mean()

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        """Begins as a trained one that hears labels alone, where that is its teacher; of what it has learned it then takes the share that
        `apart` says, so as not to forget labels over numbers (Wortsman et al., 2022: WiSE-FT)."""
        if teacher is not None:
            self.network.begin_as(teacher.network)
        begun = [p.detach().cpu().clone() for p in self.network.parameters()]
        yield ""
        with torch.no_grad():
            for first, last in zip(begun, self.network.parameters(), strict=True):
                last.lerp_(first.to(last), 1 - self.apart)

    def velocity(self, x_t: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """E[x - noise | x_t], like x_t; t: (n,) in [0, 1]; y: (n,) in 0..classes."""
        return in_parts(self.network, x_t, t, y)

    def observe(self, x: Tensor) -> None:
        """Count the grey levels of the training pictures, uint8; called once before training."""
        if self.space.discrete:
            counts = torch.bincount(x.flatten().long(), minlength=256) + 1.0
            self.log_prior.copy_((counts / counts.sum()).log())

    # sampling ---------------------------------------------------------------------------------------------------------

    def denoiser(
        self, y: Tensor, guidance_scale: float = 1.0, guided: tuple[float, float] = (0.0, 1.0)
    ) -> Callable[[Tensor, float], Tensor]:
        """(x_t, t) -> the predicted x0 in [-1, 1], E[x | x_t, y], guided (Ho and Salimans, 2022, eq. 6).

        Guidance acts where guided[0] <= t < guided[1]: before, it costs variety; after, no label is left to choose
        (Kynkaanniemi et al., 2024).
        """
        labelled = not bool(self.condition.is_null(y).all())

        def denoise(x_t: Tensor, t: float) -> Tensor:
            level = torch.full((len(x_t),), t)
            if guidance_scale == 1 or not labelled or not guided[0] <= t < guided[1]:
                return x_t + (1 - t) * self.velocity(x_t, level, y)
            none = self.condition.null(len(y)).to(y.device)
            both = self.velocity(torch.cat([x_t, x_t]), torch.cat([level, level]), torch.cat([y, none]))
            with_label, without = both.chunk(2)
            return x_t + (1 - t) * lerp(without, with_label, guidance_scale)

        return denoise

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: DiffusionSettings | None = None) -> Iterator[Frame]:
        """From noise to data; each frame carries x_t and the x0 that is predicted from it."""
        settings = settings or self.Settings()
        denoise = self.denoiser(self.labels(y, len(noise)), settings.guidance_scale, (settings.guide_from, settings.guide_until))
        x = settings.temperature * noise.normal(*self.space.shape)
        fresh = lambda: settings.temperature * noise.normal(*self.space.shape)  # noqa: E731
        grid = times(settings.steps, settings.grid)
        for t, x_t, guess in SAMPLERS[settings.sampler](denoise, x, grid, fresh):
            yield self._frame(x_t, t, guess, settings.sampler if t > 0 else "pure noise")

    def _frame(self, x: Tensor, t: float, guess: Tensor, note: str) -> Frame:
        finished = self.space.clamp(self.space.from_signal(guess))
        shown = self.space.from_signal(x)
        return Frame(self.space.clamp(shown) if t == 1 else shown, f"{note}   t = {t:.2f}   σ = {1 - t:.2f}", finished)

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Linear, noise: Noise, y: Tensor | None = None, settings: DiffusionRestoring | None = None
    ) -> Iterator[Frame]:
        """Samples of p(x | seen, y): the ancestral sampler, pulled towards the measurement at every step (`guidance`)."""
        self.check_measurement(seen, measurement, noise)
        settings = settings or self.Restoring()
        y = self.labels(y, len(noise))
        if self.classes and settings.label_steps:
            weigh = partial(weigh_hypotheses, self.denoiser, self.classes, self.space, steps=settings.label_steps)
            y = infer_labels(weigh, self.classes, self.space, seen, measurement, noise, y)
        denoise = self.denoiser(y, settings.guidance_scale)
        film = follow_measurement(
            denoise, self.space, seen, measurement, noise, steps=settings.steps, solves=settings.solves, churn=settings.churn
        )
        for t, x, guess in film:
            frame = self._frame(x, t, guess, "guided by what was seen")
            yield frame._replace(x=put_back_in_range(frame.x, seen, measurement)) if t == 1 else frame

    # latents and likelihood -------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, x: Tensor, y: Tensor | None = None, steps: int = 20) -> Tensor:
        """The noise that the probability-flow ODE leads to x, like x (Song et al., 2021).

        Data carry no noise, which the ODE never meets; so x gets the last pinch of it, each picture one of its own: pixels that
        are black anyway carry it to z, and a shared one would put all codes in one corner.
        """
        self.space.check(x)
        pinch = Noise.of(x).normal(*self.space.shape)
        grid = torch.sigmoid(torch.linspace(FINEST, -FINEST, check_steps(steps))).tolist() + [0.0]
        start = grid[0] * self.space.to_signal(x) + (1 - grid[0]) * pinch
        return self._flow(start, self.labels(y, len(x)), grid)

    @torch.no_grad()
    def decode(self, z: Tensor, y: Tensor | None = None, steps: int = 20) -> Tensor:
        """Where the probability-flow ODE leads the noise z: (n, *shape)."""
        grid = [0.0] + torch.sigmoid(torch.linspace(-FINEST, FINEST, check_steps(steps))).tolist() + [1.0]
        return self.space.clamp(self.space.from_signal(self._flow(self.check_code(z, self.space.shape), self.labels(y, len(z)), grid)))

    def _flow(self, x: Tensor, y: Tensor, grid: list[float]) -> Tensor:
        """Heun's method on the ODE, along any grid of times, forwards or backwards."""
        denoise = self.denoiser(y)
        for t, s in zip(grid[:-1], grid[1:], strict=True):
            x = heun_step(denoise, x, t, s)
        return x

    def log_prob(self, x: Tensor, y: Tensor | None = None, steps: int = 32) -> Tensor:
        """Nats, (n, *shape) -> (n,). Pictures: a lower bound for the 8-bit levels; points: the density itself.

        The ODE gives the log-density of x_t at the finest noise t (Song et al., 2021, eq. 39, one Rademacher probe for the
        trace). Pictures reach it as in a variational model (Kingma et al., 2021, eq. 11): log P(x) >= E_q(x_t | x)[log
        p(x_t) - log q(x_t | x) + log P(x | x_t)], where P(x | x_t) weighs each level by how often training pixels have it.
        """
        self.space.check(x)
        y, noise = self.labels(y, len(x)), Noise.of(x)
        t = torch.sigmoid(torch.tensor(FINEST)).item()
        pinch = noise.normal(*self.space.shape)
        x_t, bound, finest = x, torch.zeros(len(x)), FINEST
        if not self.space.discrete:
            finest = 6.0  # a density has no levels to hide below: go as near to the data as single precision allows
        if self.space.discrete:
            x_t = t * self.space.to_signal(x) + (1 - t) * pinch
            q = log_normal(pinch) - math.log(1 - t)
            bound = (self._log_level(x, x_t, t) - q).flatten(1).sum(1)
        grid = torch.sigmoid(torch.linspace(finest, -6.0, check_steps(steps))).tolist() + [0.0]
        z, log_det = self._flow_with_log_det(x_t, y, grid, noise)
        return bound + log_normal(z).flatten(1).sum(1) + log_det

    def _log_level(self, x: Tensor, x_t: Tensor, t: float) -> Tensor:
        """log P(level | x_t) pixel by pixel: Bayes' rule with the level counts as the prior."""
        levels = torch.linspace(-1, 1, 256)
        posterior = self.log_prior - 0.5 * ((x_t[..., None] - t * levels) / (1 - t)) ** 2
        level = (x * 255).round().long()
        return posterior.log_softmax(-1).gather(-1, level[..., None])[..., 0]

    def _flow_with_log_det(self, x: Tensor, y: Tensor, grid: list[float], noise: Noise) -> tuple[Tensor, Tensor]:
        """z and log |dz/dx|. The linear part of each step is exact; the rest is the trapezoid of tr(d x0 / d x_t).

        In few dimensions the trace is summed up exactly, else it is estimated with one Rademacher probe (Hutchinson, 1989).
        """
        size = self.space.size
        probes = [noise.uniform(*self.space.shape).sub(0.5).sign()]
        if size <= 8:
            probes = [torch.eye(size)[i].view(self.space.shape).expand_as(x) for i in range(size)]
        log_det = torch.zeros(len(x))
        denoise = self.denoiser(y)

        def traced(x: Tensor, t: float) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                guess = denoise(x, t)
                pulled = [torch.autograd.grad(guess, x, probe, retain_graph=True)[0] for probe in probes]
            return guess.detach(), sum((pull * probe).flatten(1).sum(1) for pull, probe in zip(pulled, probes, strict=True))

        guess, trace = traced(x, grid[0])
        for t, s in zip(grid[:-1], grid[1:], strict=True):
            shrink = (1 - s) / (1 - t)
            euler = shrink * x + (1 - shrink) * guess
            next_guess, next_trace = traced(euler, s) if s > 0 else (guess, trace * 0)
            x = shrink * x + (1 - shrink) * (guess + next_guess) / 2
            # d log|J| = (tr - size) dt / (1 - t)
            log_det = log_det + (self.space.size - (trace + next_trace) / 2) * math.log(shrink)
            if s > 0:
                guess, trace = traced(x, s)
        return x, log_det


def check_steps(steps: int) -> int:
    """The number of steps along the ODE itself, 2 to 1,000; else ValueError."""
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= 1000:
        raise ValueError(f"steps: expected 2 to 1000, got {steps!r}")
    return steps


def heun_step(denoise: Callable[[Tensor, float], Tensor], x: Tensor, t: float, s: float) -> Tensor:
    """One step of the ODE from t to s with the average of both ends' predictions; exact for a constant prediction."""
    shrink = (1 - s) / (1 - t)
    guess = denoise(x, t)
    euler = shrink * x + (1 - shrink) * guess
    if s == 1:
        return euler
    return shrink * x + (1 - shrink) * (guess + denoise(euler, s)) / 2


def draw_times(n: int, device: torch.device) -> Tensor:
    """Mostly logit-normal (Esser et al., 2024), and 20 % uniform in logit t, which teaches the fine and the coarse ends."""
    logit = torch.randn(n, device=device)
    wide = torch.rand(n, device=device) * 9 - 4.5
    return torch.sigmoid(torch.where(torch.rand(n, device=device) < 0.2, wide, logit))


def beside(t: Tensor, x: Tensor) -> Tensor:
    """A number a row, (n,), shaped to be multiplied with x, (n, *shape)."""
    return t.view(-1, *[1] * (x.dim() - 1))


def in_parts(network: nn.Module, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    """network(x, t, y), on a CPU in parts that fit its cache."""
    if x.device.type != "cpu" or len(x) <= PART:
        return network(x, t, y)
    return torch.cat([network(*part) for part in zip(x.split(PART), t.split(PART), y.split(PART), strict=True)])
