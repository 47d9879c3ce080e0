"""Energy-based models: p(x | y) is exp(-E(x, y)) over a constant that nobody knows (LeCun et al., 2006).

Learned without that constant, by denoising score matching at many scales with one energy (Vincent, 2011; Li et al., 2019): the
slope of E at a noisy picture points away from the clean one. So E grows with the squared distance to the data, in units of
`width`, and near the data exp(-E) is the distribution of digits with that much noise. A walk down the slope, with noise that
fades, draws from it. The network is told no noise level: it sees by itself how much is left (Kadkhodaie and Simoncelli, 2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.guidance import infer_labels, signal_of, weigh_hypotheses
from dgm_models.measurements import Linear, put_back_in_range
from dgm_models.networks import fitted
from dgm_models.probability import lerp
from dgm_models.spaces import Space

OTHERS = 3  # wrong labels that a true one is told from in training
PART = 250  # pictures whose energies are measured at once


@dataclass(frozen=True)
class EnergySettings(Settings):
    steps: int = knob(20, "Steps", 2, 300, step=1, help="steps down the slope of the energy, from noise alone to hardly any")
    step_size: float = knob(
        3.5, "Step size", 1.0, 4.0, step=0.1, help="in units of the smallest that keeps up; what is more, noise makes up"
    )
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the noise on the way, and of the first")
    guidance_scale: float = knob(
        1.8, "Guidance scale", 0.0, 6.0, step=0.1, help="1: none; more: follow the label harder, at twice the cost"
    )


@dataclass(frozen=True)
class EnergyRestoring(Settings):
    steps: int = knob(40, "Steps", 2, 300, step=1)
    guidance_scale: float = knob(2.5, "Guidance scale", 0.0, 6.0, step=0.1)
    step_size: float = knob(3.5, "Step size", 1.0, 4.0, step=0.1, advanced=True)
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, advanced=True)
    label_steps: int = knob(6, "Steps to infer the label", 0, 30, step=1, advanced=True, help="0: restore without a label")


class EnergyBased(Family):
    """Class-conditional. network(signal (n, *shape), labels) -> (n,): width^2 times the energy."""

    Settings = EnergySettings
    Restoring = EnergyRestoring
    restores = (Linear,)
    evidence = "unnormalised"

    def __init__(
        self,
        network: nn.Module,
        space: Space,
        classes: int = 0,
        width: float = 0.1,
        least: float = 0.05,
        most: float = 4.0,
        drop: float = 0.1,
        compare: float = 0.0,
        compare_from: float = 0.7,
        compared: int = 24,
    ) -> None:
        """least and most: standard deviations of the noise in training and at the ends of a walk, on the scale of the signal.
        compare: the weight of telling labels apart by their energies, of the first `compared` elements of a batch, once a share
        `compare_from` of the training is over."""
        super().__init__()
        self.network, self.space, self.condition = fitted(network, space.shape), space, Classes(classes)
        self.width, self.least, self.most, self.drop = width, least, most, drop
        self.compare, self.compare_from, self.compared, self.comparing = compare, compare_from, compared, True
        self.register_buffer("log_constant", torch.zeros(classes + 1))  # of each label, relative: see `finish`

    # energy and its slope ---------------------------------------------------------------------------------------------

    def energy(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """E(x, y), up to a constant of the label, (n, *shape) -> (n,), nats."""
        parts = zip(self.space.to_signal(x).split(PART), self.labels(y, len(x)).split(PART), strict=True)
        return torch.cat([self.network(*part).float() for part in parts]) / self.width**2

    def slope(self, signal: Tensor, y: Tensor, create_graph: bool = False) -> tuple[Tensor, Tensor]:
        """width^2 times the gradient of the energy, like signal: what denoising takes away; and the energy itself, (n,)."""
        with torch.enable_grad():
            leaf = signal.detach().requires_grad_()
            height = self.network(leaf, y)
            (slope,) = torch.autograd.grad(height.sum(), leaf, create_graph=create_graph)
        return slope, height.detach().float() / self.width**2

    def age(self, share: float) -> None:
        self.comparing = share >= self.compare_from

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Squared error of the slope, as a prediction of the noise, in units of it (Vincent, 2011); and how the energies of one
        picture under several labels tell the true one, for slopes alone leave their heights open (Grathwohl et al., 2020)."""
        truth, signal = self.labels(y, len(x)).to(x.device), self.space.to_signal(x)
        y = self.condition.drop(truth, self.drop)
        spread = (torch.rand(1, device=x.device) + torch.arange(len(x), device=x.device) / len(x)) % 1
        sigma = self.least * (self.most / self.least) ** spread.view(-1, *[1] * (x.dim() - 1))
        noise = torch.randn_like(signal)
        slope, _ = self.slope(signal + sigma * noise, y, create_graph=True)
        error = (slope / sigma - noise).square().mean()
        if not (self.compare and self.comparing and self.classes):
            return error
        return error + self.compare * self._confusion(signal[: self.compared], truth[: self.compared])

    def _confusion(self, signal: Tensor, y: Tensor) -> Tensor:
        """Nats by which the energies of elements, with noise of size `width` at most, miss their labels among OTHERS wrong ones, drawn
        evenly: least where their differences are those of log p(y | x) (Ma and Collins, 2018). Unknown labels do not count."""
        known = y < self.classes
        signal, y = signal[known], y[known]
        wrong = (y[:, None] + 1 + torch.rand(len(y), self.classes - 1, device=y.device).argsort(1)[:, :OTHERS]) % self.classes
        labels = torch.cat([y[:, None], wrong], dim=1)
        share = torch.rand(len(y), *[1] * (signal.dim() - 1), device=y.device)
        near = (signal + share * self.width * torch.randn_like(signal)).repeat_interleave(labels.shape[1], 0)
        energies = self.network(near, labels.flatten()).float().view_as(labels) / self.width**2
        return (energies[:, 0] + (-energies).logsumexp(1)).sum() / max(1, len(y))

    @torch.no_grad()
    def finish(self, x: Tensor, y: Tensor, digits: int = 2000) -> None:
        """The constants of the labels, relative to each other, that make p(y | x) of training elements likeliest."""
        if not self.classes:
            return
        x, y = x[:digits], y[:digits]
        energies = torch.stack([self.energy(x, torch.full((len(x),), label)) for label in range(self.classes)], dim=1)
        constant = torch.zeros(energies.shape[1], requires_grad=True)
        descent = torch.optim.LBFGS([constant], max_iter=50)

        def misread() -> Tensor:
            descent.zero_grad()
            with torch.enable_grad():
                loss = nn.functional.cross_entropy(-energies - constant, y)
                loss.backward()
            return loss

        descent.step(misread)
        self.log_constant[: self.classes] = constant.detach() - constant.detach().mean()

    @torch.no_grad()
    def log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """-E(x, y) less the constant of the label, (n,) nats: log p(x | y) up to a constant that all pictures and all labels share,
        but not what comes without a label."""
        self.space.check(x)
        return -self.energy(x, y) - self.log_constant[self.labels(y, len(x))]

    # walks ------------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: EnergySettings | None = None) -> Iterator[Frame]:
        """Down the slope of the energy, with noise that fades; the energy is that of the first picture."""
        settings, y = settings or self.Settings(), self.labels(y, len(noise))
        yield from self._walk(noise, y, settings.steps, settings.step_size, settings.temperature, settings.guidance_scale)

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Linear, noise: Noise, y: Tensor | None = None, settings: EnergyRestoring | None = None
    ) -> Iterator[Frame]:
        """The same walk, where what was seen takes the place of the slope in its directions (Kadkhodaie and Simoncelli, 2021,
        algorithm 2), after a label that what was seen calls for."""
        self.check_measurement(seen, measurement, noise)
        settings, target, y = settings or self.Restoring(), signal_of(self.space, measurement, seen), self.labels(y, len(noise))
        if self.classes and settings.label_steps:
            weigh = partial(weigh_hypotheses, self.denoiser, self.classes, self.space, steps=settings.label_steps)
            y = infer_labels(weigh, self.classes, self.space, seen, measurement, noise, y)

        def pull(x: Tensor, down: Tensor) -> Tensor:
            return down - measurement.pinv(measurement(down)) + measurement.pinv(target - measurement(x))

        walk = self._walk(noise, y, settings.steps, settings.step_size, settings.temperature, settings.guidance_scale, pull)
        for frame in walk:
            answer = frame.x if frame.guess is not None else put_back_in_range(frame.x, seen, measurement)
            yield frame._replace(x=answer)

    def _walk(
        self,
        noise: Noise,
        y: Tensor,
        steps: int,
        step_size: float,
        temperature: float,
        scale: float,
        pull: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> Iterator[Frame]:
        """From noise of size `most` to `least` in equal ratios. A step of share h leaves (1 - h) of the noise; fresh noise makes up
        what is missing from the next size. Each frame's guess is where the slope leads at once."""
        ratio = (self.least / self.most) ** (1 / steps)
        share = min(1.0, step_size * (1 - ratio))
        x, sigma = temperature * self.most * noise.normal(*self.space.shape), self.most
        for step in range(steps):
            down, energy = self._down(x, y, scale)
            yield self._frame(x, x + down, f"step {step} of {steps}   noise {sigma:.2f}   energy of the first {float(energy[0]):,.0f}")
            down = pull(x, down) if pull else down
            fresh = sigma * math.sqrt(max(0.0, ratio**2 - (1 - share) ** 2))
            x, sigma = x + share * down + temperature * fresh * noise.normal(*self.space.shape), sigma * ratio
        down, _ = self._down(x, y, scale)
        yield self._frame(x + (pull(x, down) if pull else down), None, f"step {steps} of {steps}: the last of the noise taken away")

    def _down(self, x: Tensor, y: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """From x to where the slope leads, guided away from where it leads without a label (Ho and Salimans, 2022); and the energy."""
        slope, energy = self.slope(x, y)
        if scale == 1 or bool((y == self.classes).all()):
            return -slope, energy
        without, _ = self.slope(x, torch.full_like(y, self.classes))
        return -lerp(without, slope, scale), energy

    def denoiser(self, y: Tensor, guidance_scale: float = 1.0) -> Callable[[Tensor, float], Tensor]:
        """(x_t, t) -> where the slope leads from t x + (1 - t) noise, in [-1, 1], as diffusion has it: what E knows of E[x | x_t, y]."""
        start = 1 / (1 + self.most)  # what is noisier is taken as the noisiest that E has met

        def denoise(x_t: Tensor, t: float) -> Tensor:
            x = x_t / max(t, start)
            return x + self._down(x, y, guidance_scale)[0]

        return denoise

    def _frame(self, x: Tensor, guess: Tensor | None, note: str) -> Frame:
        show = lambda signal: self.space.clamp(self.space.from_signal(signal))  # noqa: E731
        return Frame(show(x), note, None if guess is None else show(guess))

    @torch.no_grad()
    def chain(
        self, x: Tensor, y: Tensor | None, noise: Noise, steps: int, step_size: float, temperature: float
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Langevin dynamics in the energy itself: x - step / 2 * slope of E + sqrt(step) noise (Welling and Teh, 2011), as (x, energy).

        step_size is in units of width^2, where 2 goes to the bottom of a valley of that width at once, and more than 4 out of it.
        """
        self.space.check(x)
        y, signal = self.labels(y, len(x)), self.space.to_signal(x)
        for _ in range(steps + 1):
            slope, energy = self.slope(signal, y)
            yield self.space.clamp(self.space.from_signal(signal)), energy
            fresh = temperature * self.width * math.sqrt(step_size) * noise.normal(*self.space.shape)
            signal = signal - step_size / 2 * slope + fresh
