"""Ways to walk from noise to data with a denoiser, each a function (in the manner of Karras et al., 2022, algorithms 1 and 2).

A denoiser maps (x_t, t) to the predicted x0; the path is x_t = alpha x0 + sigma noise with alpha = t, sigma = 1 - t. A
sampler takes (denoise, x at t = 0, times, fresh) and yields (t, x_t, the x0 predicted from it) before each step, and at the
end (1, x, x); `fresh()` draws noise.
On this straight path DDIM and Euler's method on the flow are one and the same step (both are exact when x0 and the noise
stay put), which the tests hold them to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Denoise = Callable[[Tensor, float], Tensor]
Fresh = Callable[[], Tensor]
Film = Iterator[tuple[float, Tensor, Tensor]]


def times(steps: int, grid: str = "uniform t") -> list[float]:
    """steps + 1 rising times from 0 to 1."""
    return [0.0, *GRIDS[grid](steps - 1), 1.0]


def _uniform(inner: int) -> list[float]:
    return [(i + 1) / (inner + 1) for i in range(inner)]


def _log_snr(inner: int) -> list[float]:
    return torch.sigmoid(torch.linspace(-2.2, 2.2, inner) if inner > 1 else torch.zeros(inner)).tolist()


def _karras(inner: int, largest: float = 8.0, smallest: float = 0.1, rho: float = 7.0) -> list[float]:
    """Karras et al. (2022), eq. 5: sigma / alpha falls as a polynomial."""
    ramp = torch.linspace(0, 1, inner) if inner > 1 else torch.full((inner,), 0.5)
    ratio = (largest ** (1 / rho) + ramp * (smallest ** (1 / rho) - largest ** (1 / rho))) ** rho
    return (1 / (1 + ratio)).tolist()


GRIDS = {"uniform t": _uniform, "uniform log-SNR": _log_snr, "Karras": _karras}


def ddim_step(x: Tensor, t: float, s: float, guess: Tensor, eta: float = 0.0, fresh: Fresh | None = None) -> Tensor:
    """From t to s given the predicted x0 (Song et al., 2021a, eq. 12); eta = 1 is the DDPM posterior (Ho et al., 2020, eq. 7)."""
    direction = (x - t * guess) / (1 - t)
    kept = (1 - s) * t / (s * (1 - t))  # sigma_s alpha_t / (alpha_s sigma_t)
    added = eta * (1 - s) * math.sqrt(max(0.0, 1 - kept**2))
    x = s * guess + math.sqrt(max(0.0, (1 - s) ** 2 - added**2)) * direction
    return x + added * fresh() if added > 0 and fresh is not None else x


def _steps(times: list[float]) -> Iterator[tuple[float, float]]:
    return zip(times[:-1], times[1:], strict=True)


def euler(denoise: Denoise, x: Tensor, times: list[float], fresh: Fresh | None = None) -> Film:
    """Euler's method on the flow dx/dt = velocity."""
    for t, s in _steps(times):
        guess = denoise(x, t)
        yield t, x, guess
        x = x + (s - t) * (guess - x) / (1 - t)
    yield times[-1], x, x


def heun(denoise: Denoise, x: Tensor, times: list[float], fresh: Fresh) -> Film:
    """Heun's second-order method: two evaluations a step, one at the last."""
    for t, s in _steps(times):
        guess = denoise(x, t)
        yield t, x, guess
        velocity = (guess - x) / (1 - t)
        ahead = x + (s - t) * velocity
        if s < 1:
            velocity = (velocity + (denoise(ahead, s) - ahead) / (1 - s)) / 2
        x = x + (s - t) * velocity
    yield times[-1], x, x


def ddim(denoise: Denoise, x: Tensor, times: list[float], fresh: Fresh) -> Film:
    """Denoising diffusion implicit models: the same noise is put back."""
    for t, s in _steps(times):
        guess = denoise(x, t)
        yield t, x, guess
        x = ddim_step(x, t, s, guess)
    yield times[-1], x, x


def ddpm(denoise: Denoise, x: Tensor, times: list[float], fresh: Fresh) -> Film:
    """Ancestral sampling: at each step some of the noise is drawn anew."""
    for t, s in _steps(times):
        guess = denoise(x, t)
        yield t, x, guess
        x = ddim_step(x, t, s, guess, eta=1.0, fresh=fresh)
    yield times[-1], x, x


def dpm_solver_2m(denoise: Denoise, x: Tensor, times: list[float], fresh: Fresh) -> Film:
    """DPM-Solver++(2M) (Lu et al., 2022, algorithm 2): extrapolates the prediction from the step before; first order at both ends."""
    before = None
    for t, s in _steps(times):
        guess = denoise(x, t)
        yield t, x, guess
        distance = _log_ratio(s) - _log_ratio(t)
        x = (1 - s) / (1 - t) * x + s * -math.expm1(-distance) * _extrapolated(guess, distance, before)
        before = guess, distance
    yield times[-1], x, x


def sde_dpm_solver_2m(denoise: Denoise, x: Tensor, times: list[float], fresh: Fresh) -> Film:
    """The same for the ancestral process, SDE-DPM-Solver++(2M) (Lu et al., 2022, section 3.4): its first order is DDPM."""
    before = None
    for t, s in _steps(times):
        guess = denoise(x, t)
        yield t, x, guess
        distance = _log_ratio(s) - _log_ratio(t)
        renewed = -math.expm1(-2 * distance)
        x = (1 - s) / (1 - t) * math.exp(-distance) * x + s * renewed * _extrapolated(guess, distance, before)
        if s < 1:
            x = x + (1 - s) * math.sqrt(renewed) * fresh()
        before = guess, distance
    yield times[-1], x, x


def _extrapolated(guess: Tensor, distance: float, before: tuple[Tensor, float] | None) -> Tensor:
    """The prediction half a step on, from this one and the one before, (prediction, how far in log-SNR it was from here)."""
    if before is None or not math.isfinite(distance) or not math.isfinite(before[1]):
        return guess
    return guess + (guess - before[0]) * distance / (2 * before[1])


def _log_ratio(t: float) -> float:
    """log(alpha / sigma): half the log-SNR."""
    if t <= 0 or t >= 1:
        return -math.inf if t <= 0 else math.inf
    return math.log(t / (1 - t))


SAMPLERS = {
    "DPM-Solver++(2M)": dpm_solver_2m,
    "Heun": heun,
    "DDIM": ddim,
    "Euler": euler,
    "ancestral DDPM": ddpm,
    "SDE-DPM-Solver++(2M)": sde_dpm_solver_2m,
}
