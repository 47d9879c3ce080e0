"""Posterior samplers: how a model that was trained on p(x) answers for p(x | what was seen). One a kind of model.

None of them knows a family by name: each takes the one primitive that its kind of model lends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from dgm_models.contracts import Noise, Space
from dgm_models.degradations import Degradation, put_back, put_back_in_range
from dgm_models.samplers import ddim_step, times


def follow_measurement(
    denoise: Callable[[Tensor, float], Tensor],
    space: Space,
    seen: Tensor,
    degradation: Degradation,
    noise: Noise,
    *,
    steps: int,
    strength: float = 1.0,
    churn: float = 1.0,
) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Pseudo-inverse guidance for a denoiser (Song et al., 2023, PiGDM, eq. 7), yielding (t, x_t, predicted x0).

    At each t the prediction is moved against the gradient of its misfit, J^T A+ (m - A x0), then what was seen is put in
    its place (Wang et al., 2023, DDNM, eq. 13). `churn` is DDIM's eta. The end keeps what was seen within rounding.
    """
    target = _signal(space, degradation, seen)
    x = noise.normal(*space.shape)
    for t, s in zip(*_pairs(steps), strict=True):
        if strength > 0:
            with torch.enable_grad():
                leaf = x.detach().requires_grad_()
                guess = denoise(leaf, t)
                misfit = degradation.pinv(target - degradation(guess.detach()))
                (pull,) = torch.autograd.grad(guess, leaf, misfit)
            # E[x | x_t] moves by sigma^2 / alpha times the score; the score is J^T misfit / r^2, r^2 = sigma^2 / (alpha^2 + sigma^2)
            scale = (t * t + (1 - t) ** 2) / max(t, 1e-3) if t > 0 else 0.0
            guess = guess.detach() + strength * scale * pull
        else:
            guess = denoise(x, t)
        guess = put_back(guess.clamp(-1, 1), target, degradation)
        x = ddim_step(x, t, s, guess, eta=churn, fresh=lambda: noise.normal(*space.shape))
        if s == 1:
            kept = put_back_in_range(space.from_signal(guess), seen, degradation)
            x = guess = space.to_signal(kept)
        yield s, x, guess


def _pairs(steps: int) -> tuple[list[float], list[float]]:
    grid = times(steps, "uniform log-SNR")
    return grid[:-1], grid[1:]


def _signal(space: Space, degradation: Degradation, seen: Tensor) -> Tensor:
    """The measurement of a picture in [-1, 1], from the measurement of the same picture in [0, 1]."""
    ones = degradation(torch.ones((len(seen), *space.shape)))
    return 2 * seen - ones if space.kind == "image" else seen


def search_latent(
    moments: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    latent: int,
    seen: Tensor,
    degradation: Degradation,
    noise: Noise,
    *,
    tries: int,
    steps: int,
    temperature: float = 1.0,
) -> Iterator[tuple[str, Tensor]]:
    """Codes z (n, latent) from p(z | seen) for any model with a decoder, as (note, z).

    moments(z, rows) -> mean and variance of the pixels that z decodes to, for those rows. A code that fits is resampled
    from `tries` prior draws (importance resampling), then Langevin steps, preconditioned by the running gradient (Li et
    al., 2016, algorithm 1), while the weight of the data rises to 1.
    """
    n = len(seen)
    rows = torch.arange(n)

    def log_seen(z: Tensor, rows: Tensor) -> Tensor:
        mean, variance = moments(z, rows)
        spread = degradation(variance) * degradation.gain + 1e-3
        return (-0.5 * (seen[rows] - degradation(mean)).square() / spread - 0.5 * spread.log()).flatten(1).sum(1)

    with torch.no_grad():
        drawn = temperature * noise.normal(tries, latent)
        if tries > 1:
            fit = torch.stack([log_seen(drawn[:, i], rows) for i in range(tries)], dim=1)
            z = drawn[rows, noise.choose((fit / max(1.0, tries**0.5)).softmax(1))]
        else:
            z = drawn[:, 0]
    yield "a code drawn from the prior that fits what was seen", z
    running = torch.zeros_like(z)
    for step in range(steps):
        weight = min(1.0, (step + 1) / (0.7 * steps))
        with torch.enable_grad():
            leaf = z.detach().requires_grad_()
            log_post = weight * log_seen(leaf, rows) - 0.5 * leaf.square().sum(1) / max(temperature, 1e-2) ** 2
            (slope,) = torch.autograd.grad(log_post.sum(), leaf)
        running = slope.square() if step == 0 else 0.9 * running + 0.1 * slope.square()
        size = 0.3 / (1.0 + running.sqrt())
        z = z + 0.5 * size * slope + temperature * (size * 0.1).sqrt() * noise.normal(latent) * (step < steps - 1)
        yield f"Langevin step {step + 1} of {steps}", z
