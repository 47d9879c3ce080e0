"""Posterior samplers: how a model that was trained on p(x) answers for p(x | what was seen). One a kind of model.

None of them knows a family by name: each takes the one primitive that its kind of model lends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from dgm_models.contracts import Noise
from dgm_models.measurements import Linear
from dgm_models.samplers import ddim_step
from dgm_models.spaces import Space

FLOOR = 0.02  # of the noise's own variance: no variance of a prediction is taken as less
RATE = 0.1  # of the first step of a descent on codes
NUDGE = 0.05  # of the noise's own standard deviation: how far the difference that stands for a derivative reaches


def follow_measurement(
    denoise: Callable[[Tensor, float], Tensor],
    space: Space,
    seen: Tensor,
    measurement: Linear,
    noise: Noise,
    *,
    steps: int,
    solves: int = 2,
    churn: float = 1.0,
) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Posterior sampling with a denoiser by moment matching (Rozet et al., 2024, eqs. 15 to 19), as (t, x_t, predicted x0).

    At each t, x0 given x_t is taken as a Gaussian whose mean is the prediction and whose covariance is sigma^2 / alpha times
    its Jacobian; that Gaussian is conditioned on what was seen, with `solves` steps of conjugate gradients, each one
    evaluation (0: only put what was seen in its place, as DDNM of Wang et al., 2023). `churn` is DDIM's eta.
    """
    target = signal_of(space, measurement, seen)
    x = noise.normal(*space.shape)
    for t, s in zip(*_pairs(steps), strict=True):
        _, guess = _conditioned(denoise, x, t, target, measurement, solves)
        guess = measurement.put_back(guess.clamp(-1, 1), target)
        yield t, x, guess
        x = ddim_step(x, t, s, guess, eta=churn, fresh=lambda: noise.normal(*space.shape))
    yield 1.0, x, x


def _conditioned(
    denoise: Callable[[Tensor, float], Tensor], x: Tensor, t: float, target: Tensor, measurement: Linear, solves: int
) -> tuple[Tensor, Tensor]:
    """E[x0 | x_t], and E[x0 | x_t, seen] for the Gaussian described above: prediction + V P u, (P V P) u = P (seen - prediction)."""
    guess = denoise(x, t)
    if solves == 0 or t == 0:
        return guess, guess

    def covariance(v: Tensor) -> Tensor:
        """V v, from how the prediction changes along v: the difference of two evaluations, for a backward pass costs twice that."""
        step = NUDGE * (1 - t) / v.abs().flatten(1).amax(1).clamp_min(1e-12).view(-1, *[1] * (v.dim() - 1))
        return ((1 - t) ** 2 / t) * (denoise(x + step * v, t) - guess) / step

    project = lambda v: measurement.pinv(measurement(v))  # noqa: E731
    inner = lambda a, b: (a * b).flatten(1).sum(1).view(-1, *[1] * (a.dim() - 1))  # noqa: E731
    rest = measurement.pinv(target - measurement(guess))
    direction, left = rest, inner(rest, rest)
    shift = torch.zeros_like(x)
    for _ in range(solves):
        spread = covariance(direction)
        # no variance is below a small share of the noise's own: it keeps a rough Jacobian from overshooting
        variance = inner(direction, spread)
        curvature = variance.clamp_min(0) + FLOOR * (1 - t) ** 2 * inner(direction, direction) + 1e-12
        size = torch.where(variance > 0, left / curvature, 0.0)  # a negative one is no variance: nothing is learned along there
        shift = shift + size * spread
        rest = rest - size * (project(spread) + FLOOR * (1 - t) ** 2 * direction)
        left, before = inner(rest, rest), left
        direction = rest + left / before.clamp_min(1e-20) * direction
    return guess, guess + shift


def weigh_hypotheses(
    denoiser: Callable[[Tensor], Callable[[Tensor, float], Tensor]],
    count: int,
    space: Space,
    seen: Tensor,
    measurement: Linear,
    noise: Noise,
    *,
    steps: int,
    pairs: int = 3,
    margin: float = 6.0,
    until: float = 0.5,
) -> Tensor:
    """Lower bounds of log p(seen | hypothesis), up to a constant, (n, count): which hypothesis expects what was seen.

    denoiser(which (m,)) denoises m pictures, each under the hypothesis of that index. Every hypothesis walks from noise to
    t = `until` with its predictions conditioned on what was seen, as in `follow_measurement`. Under the model itself a step of
    this walk is less likely by half the squared shift of the prediction, over all pixels, times the growth of the
    signal-to-noise ratio (Kingma et al., 2021, eq. 13): the nats that the bound loses. It ends at `until`, for later the shifts
    hold more of the walk's own error than of what tells hypotheses apart.

    The bound is a mean over walks from a noise and from its mirror image, two a pair, which all hypotheses share; after each
    pair those that are `margin` nats behind the best walk no further.
    """
    n = len(seen)
    target = signal_of(space, measurement, seen)
    grid = [0.0, *torch.sigmoid(torch.linspace(-2.5, math.log(until / (1 - until)), steps)).tolist()]
    bound, alive = torch.zeros(n, count), torch.ones(n, count, dtype=torch.bool)
    for pair in range(pairs):
        drawn = [noise.normal(*space.shape) for _ in grid]  # for all rows, so that none depends on who else is still walking
        row, which = alive.nonzero().repeat(2, 1).unbind(1)
        sign = torch.ones(len(row)).view(-1, *[1] * len(space.shape))
        sign[len(row) // 2 :] = -1
        x, *fresh = [sign * one[row] for one in drawn]
        denoise, some, wanted, lost = denoiser(which), measurement.rows(row), target[row], torch.zeros(len(row))
        for t, s, again in zip(grid[:-1], grid[1:], fresh, strict=True):
            plain, guess = _conditioned(denoise, x, t, wanted, some, solves=1)
            guess = some.put_back(guess.clamp(-1, 1), wanted)
            growth = (s / (1 - s)) ** 2 - (t / (1 - t)) ** 2
            lost = lost + 0.5 * growth * (guess - plain).square().flatten(1).sum(1)
            x = ddim_step(x, t, s, guess, eta=1.0, fresh=lambda again=again: again)
        walked = torch.zeros(n, count).index_put((row, which), -lost / 2, accumulate=True)
        bound = torch.where(alive, (pair * bound + walked) / (pair + 1), bound)
        alive &= bound > bound.amax(1, keepdim=True) - margin
    return bound


def _pairs(steps: int) -> tuple[list[float], list[float]]:
    """Times that end close to the data, for the last jump is to a mean and loses what spread is left."""
    inner = torch.sigmoid(torch.linspace(-2.5, 3.5, steps - 1)).tolist() if steps > 1 else []
    return [0.0, *inner], [*inner, 1.0]


def signal_of(space: Space, measurement: Linear, seen: Tensor) -> Tensor:
    """The measurement of the signal of x, from the measurement of x."""
    ones = measurement(torch.ones((len(seen), *space.shape)))
    return space.measured_signal(seen, ones)


def infer_labels(
    weigh: Callable[[Tensor, Linear, Noise], Tensor],
    classes: int,
    space: Space,
    seen: Tensor,
    measurement: Linear,
    noise: Noise,
    y: Tensor,
) -> Tensor:
    """Labels drawn from p(y | seen) where y is `classes`: p(x | seen) is the sum over y of p(y | seen) p(x | seen, y).

    weigh(seen, measurement, noise) gives log p(seen | y) up to a constant, (m, classes), or bounds of it. It is asked once for
    each different measurement, with noise that depends on nothing else. Every picture spends one number of its stream here, so
    that none depends on whether its neighbours came with a label.
    """
    level, blank = noise.uniform(1), y == classes
    if not blank.any():
        return y
    seen, measurement = seen[blank], measurement.rows(blank.nonzero()[:, 0])
    ones = measurement(torch.ones((len(seen), *space.shape)))  # which pixels are seen belongs to what was seen
    different, group = torch.cat([seen, ones], dim=1).flatten(1).unique(dim=0, return_inverse=True)
    first = torch.stack([(group == g).nonzero()[0, 0] for g in range(len(different))])
    some = seen[first]
    evidence = weigh(some, measurement.rows(first), Noise.of(some))
    chosen = torch.searchsorted(evidence[group].softmax(1).cumsum(1), level[blank])[:, 0]
    return y.index_put((blank,), chosen.clamp(max=classes - 1))


def search_latent(
    moments: Callable[[Tensor], tuple[Tensor, Tensor]],
    draw: Callable[[], Tensor],
    log_prior: Callable[[Tensor], Tensor],
    seen: Tensor,
    measurement: Linear,
    noise: Noise,
    *,
    tries: int,
    steps: int,
    temperature: float = 1.0,
) -> Iterator[tuple[str, Tensor]]:
    """Codes z (n, latent) from p(z | seen) for any model with a decoder, as (note, z).

    moments(z) -> mean and variance of the pixels that z decodes to; draw() -> codes from the prior. A code that fits is
    resampled from `tries` of them (importance resampling), then Langevin steps, preconditioned by the running gradient (Li
    et al., 2016, algorithm 1), while the weight of the data rises to 1.
    """

    def log_seen(z: Tensor) -> Tensor:
        mean, variance = moments(z)
        spread = measurement(variance) * measurement.gain + 1e-3
        return (-0.5 * (seen - measurement(mean)).square() / spread - 0.5 * spread.log()).flatten(1).sum(1)

    z = first_codes(draw, lambda z: -log_seen(z), noise, tries)
    yield "a code drawn from the prior that fits what was seen", z
    running = torch.zeros_like(z)
    for step in range(steps):
        weight = min(1.0, (step + 1) / (0.7 * steps))
        with torch.enable_grad():
            leaf = z.detach().requires_grad_()
            log_post = weight * log_seen(leaf) + log_prior(leaf) / max(temperature, 1e-2) ** 2
            (slope,) = torch.autograd.grad(log_post.sum(), leaf)
        running = slope.square() if step == 0 else 0.9 * running + 0.1 * slope.square()
        size = 0.3 / (1.0 + running.sqrt())
        z = z + 0.5 * size * slope + temperature * size.sqrt() * noise.normal(z.shape[1])
        yield f"Langevin step {step + 1} of {steps}", z


def fit_latent(misfit: Callable[[Tensor], Tensor], z: Tensor, centre: Tensor | float = 0.0, *, steps: int) -> Iterator[Tensor]:
    """Descend from z (n, latent) on misfit(z) (n,) + |z - centre|^2 / 2, by Adam with a falling rate; yields z after each step.

    With misfit the negative log-likelihood, centre 0 leads to the likeliest code (Bora et al., 2017). With a centre drawn
    from the prior, and data that are perturbed by their own noise, it leads to nearly a sample of the posterior, exactly so
    where decoding is linear (randomize then optimize; Bardsley et al., 2014). Unlike Langevin dynamics, it forgives rounding.
    """
    z = z.detach().clone().requires_grad_()
    descent = torch.optim.Adam([z], lr=RATE)
    for step in range(steps):
        descent.param_groups[0]["lr"] = RATE * (1 - step / steps)
        with torch.enable_grad():
            total = misfit(z) + (z - centre).square().sum(1) / 2
            (z.grad,) = torch.autograd.grad(total.sum(), z)
        descent.step()
        yield z.detach().clone()


@torch.no_grad()
def first_codes(draw: Callable[[], Tensor], misfit: Callable[[Tensor], Tensor], noise: Noise, tries: int) -> Tensor:
    """Of `tries` draws (n, latent), one a row, in proportion to exp(-misfit) (importance resampling)."""
    drawn = torch.stack([draw() for _ in range(tries)], dim=1)
    fit = torch.stack([-misfit(drawn[:, i]) for i in range(tries)], dim=1)
    return drawn[torch.arange(len(drawn)), noise.choose(fit.softmax(1))]


def weigh_levels(
    logits: Tensor,
    values: Tensor,
    levels: Tensor,
    known: Tensor,
    shape: tuple[int, ...],
    seen: Tensor,
    measurement: Linear,
    together: float = 0.0,
) -> Tensor:
    """Logits (n, size, levels) of pixels that are drawn apart, given in addition what a linear measurement saw of them all.

    The hidden pixels of one measurement are taken as jointly normal, with their own means and variances and the correlation
    `together`, 0 to 1, of any two of them; a level of this pixel is as likely as the measurement is, given that level
    (assumed-density filtering). values (levels,); levels and known (n, size).
    """
    n = len(logits)
    as_picture = lambda flat: flat.view(n, *shape)  # noqa: E731
    summed = lambda flat: measurement.pinv(measurement(as_picture(flat))).flatten(1)  # noqa: E731
    share, gain = logits.softmax(2), measurement.gain
    mean = torch.where(known, values[levels], share @ values)
    variance = torch.where(known, 0.0, share @ values.square() - (share @ values).square()).clamp_min(0)
    deviation = variance.sqrt()
    missing = measurement.pinv(seen - measurement(as_picture(mean))).flatten(1)
    others = summed(deviation) - gain * deviation  # the deviations of the other hidden pixels, summed as the measurement sums them
    follow = gain + together * others / deviation.clamp_min(1e-3)  # how the measurement follows this pixel, and its kin with it
    left = (1 - together) * ((summed(variance) - gain * variance) * gain + together * others.square())
    least = (gain * (values[1] - values[0]) / 3) ** 2  # what is left for the last hidden pixel settles its level
    off = missing[..., None] - follow[..., None] * (values - mean[..., None])
    return logits.log_softmax(2) - 0.5 * off.square() / (left.clamp_min(0) + least)[..., None]


def resample(weight: Tensor, chance: Tensor, finish: bool = False) -> tuple[Tensor, Tensor]:
    """Particles of each picture by their log-weights (n, many), where those differ enough, or to finish: indices (n * many,) of
    the particles that go on, and their weights. Systematic (Kitagawa, 1996): one `chance` (n,) in [0, 1) a picture."""
    n, many = weight.shape
    share = weight.softmax(1)
    poor = (1 / share.square().sum(1) < many / 2) | finish
    ticks = (chance[:, None] + torch.arange(many)) / many
    chosen = torch.searchsorted(share.cumsum(1), ticks).clamp(max=many - 1)
    # in a random turn of places, for the first particle of each is the one that is shown
    chosen = chosen.gather(1, (torch.arange(many) + (chance * 7919).long()[:, None]) % many)
    chosen = torch.where(poor[:, None], chosen, torch.arange(many))
    return (chosen + many * torch.arange(n)[:, None]).flatten(), torch.where(poor[:, None], 0.0, weight)
