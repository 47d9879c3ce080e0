"""Formulas that several families share, each tested against torch.distributions."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)
PART = 100  # pictures whose levels are measured at once: bounds the memory of (pictures, pixels, levels)
PATCHES = 5  # hills a side of the landscape that patchy orders follow


def log_normal(x: Tensor, mean: Tensor | float = 0.0, log_std: Tensor | float = 0.0) -> Tensor:
    """Log-density of a normal distribution, elementwise, in nats."""
    log_std = torch.as_tensor(log_std, dtype=x.dtype, device=x.device)
    return -0.5 * ((x - mean) * torch.exp(-log_std)) ** 2 - log_std - 0.5 * LOG_2PI


def kl_normal(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(N(mean, std^2) || N(0, 1)), elementwise, in nats."""
    return 0.5 * (mean.square() + (2 * log_std).exp() - 1) - log_std


def log_discretized_logistic(level: Tensor, mean: Tensor, log_scale: Tensor, levels: int = 256) -> Tensor:
    """Log-mass of an integer level under a logistic cut into bins (Salimans et al., 2017, eq. 2), in nats, elementwise.

    level: 0..levels-1; mean and log_scale on the scale where the levels span [-1, 1]. The outer bins reach to infinity,
    so the masses of all levels sum to 1.
    """
    half = 1 / (levels - 1)
    centre = 2 * level.to(mean.dtype) * half - 1 - mean
    inverse = torch.exp(-log_scale)
    above, below = (centre + half) * inverse, (centre - half) * inverse
    # log(sigmoid(above) - sigmoid(below)) without cancellation: both edges are finite
    width = 2 * half * inverse
    inside = F.logsigmoid(above) + F.logsigmoid(-below) + torch.log(-torch.expm1(-width))
    first = F.logsigmoid(above)
    last = F.logsigmoid(-below)
    return torch.where(level <= 0, first, torch.where(level >= levels - 1, last, inside))


def truncated_normal(uniform: Tensor, most: float) -> Tensor:
    """Standard normal numbers within [-most, most], from uniform ones in [0, 1) by the inverse of the distribution function."""
    tail = 0.5 * math.erfc(most / math.sqrt(2))
    return torch.special.ndtri(tail + uniform.double() * (1 - 2 * tail)).float()


def log_mean_exp(x: Tensor, dim: int = 0) -> Tensor:
    """log of the mean of exp(x) along dim."""
    return torch.logsumexp(x, dim) - math.log(x.shape[dim])


def bits_per_dimension(nats: Tensor | float, size: int) -> Tensor | float:
    """Log-probability of an element with that many dimensions, in nats -> bits a dimension (positive)."""
    return -nats / (size * math.log(2))


def lerp(a: Tensor, b: Tensor, weight: float) -> Tensor:
    """The straight line from a (weight 0) to b (weight 1)."""
    return (1 - weight) * a + weight * b


def slerp(a: Tensor, b: Tensor, weight: float) -> Tensor:
    """The great circle from a to b, row by row (Shoemake, 1985), its length interpolated: keeps Gaussian latents typical."""
    flat_a, flat_b = a.flatten(1), b.flatten(1)
    norm_a, norm_b = flat_a.norm(dim=1, keepdim=True), flat_b.norm(dim=1, keepdim=True)
    cosine = (flat_a * flat_b).sum(1, keepdim=True) / (norm_a * norm_b).clamp_min(1e-12)
    angle = torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))
    along = torch.sin((1 - weight) * angle) * flat_a / norm_a + torch.sin(weight * angle) * flat_b / norm_b
    length = (1 - weight) * norm_a + weight * norm_b
    return (along / torch.sin(angle) * length).view_as(a)


def sharpen(logits: Tensor, temperature: float, top_p: float = 1.0) -> Tensor:
    """Logits (n, levels) -> probabilities: a softmax at a temperature, its nucleus of that share (Holtzman et al., 2020)."""
    if temperature < 1e-3:
        return F.one_hot(logits.argmax(1), logits.shape[1]).float()
    probabilities = (logits.float() / temperature).softmax(1)
    if top_p < 1:
        ordered, index = probabilities.sort(1, descending=True)
        ordered[ordered.cumsum(1) - ordered >= top_p] = 0  # the level that crosses the share stays
        probabilities = torch.zeros_like(probabilities).scatter(1, index, ordered)
        probabilities = probabilities / probabilities.sum(1, keepdim=True)
    return probabilities


def draw(probabilities: Tensor, chance: Tensor) -> Tensor:
    """The level at which the cumulative probability passes `chance` (n,), in [0, 1): (n, levels) -> (n,) int64."""
    cumulative = probabilities.double().cumsum(1)
    level = torch.searchsorted(cumulative, chance[:, None].double() * cumulative[:, -1:], right=True)[:, 0]
    return level.clamp(max=probabilities.shape[1] - 1)


def log_chosen(logits: Tensor, levels: Tensor) -> Tensor:
    """Log-probability of each level that came, (n, k, levels) and (n, k) -> nats (n, k)."""
    return logits.log_softmax(2).gather(2, levels[..., None])[..., 0]


def choose_positions(busy: Tensor, count: int, among: Tensor | None = None, spare: int = 40) -> tuple[Tensor, Tensor]:
    """`count` positions of each row (n, count), all but `spare` of them where `busy`, and the weights that keep a sum fair.

    busy, among: bool (n, size); only positions in `among` count. Systematic sampling with unequal chances (Madow, 1949): a
    position that is chosen with chance pi counts 1 / pi, so the weighted sum over the choice is the sum over all, on average.
    """
    among = torch.ones_like(busy) if among is None else among
    busy, calm = (busy & among).float(), (~busy & among).float()
    of_busy = ((count - spare) / busy.sum(1, keepdim=True).clamp_min(1)).clamp(max=1)
    of_calm = ((count - of_busy * busy.sum(1, keepdim=True)) / calm.sum(1, keepdim=True).clamp_min(1)).clamp(1e-3, 1)
    chance = of_busy * busy + of_calm * calm
    reach = chance.cumsum(1)
    ticks = (torch.rand(len(busy), 1, device=busy.device) + torch.arange(count, device=busy.device)) * (reach[:, -1:] / count)
    at = torch.searchsorted(reach, ticks).clamp(max=busy.shape[1] - 1)
    return at, reach[:, -1:] / count / chance.gather(1, at).clamp_min(1e-6)


def order_keys(n: int, shape: tuple[int, ...], patchy: float, device: torch.device) -> Tensor:
    """What the elements of n random orders are sorted by, (n, size): no element may tell anything, so it is drawn without x.

    A share `patchy` of the orders of pictures goes patch by patch, along a smooth random landscape, so that whole regions come
    last, as in no order that is drawn evenly.
    """
    keys = torch.rand(n, math.prod(shape), device=device)
    if patchy and len(shape) == 3:
        hills = F.interpolate(torch.rand(n, 1, PATCHES, PATCHES, device=device), shape[1:], mode="bicubic").flatten(1).repeat(1, shape[0])
        by_patch = torch.rand(n, 1, device=device) < patchy
        keys = torch.where(by_patch, hills + 0.05 * keys, keys)
    return keys


def energy_distance(a: Tensor, b: Tensor) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'| of two sets of elements (n, ...), 0 where they agree (Szekely and Rizzo, 2013)."""
    apart = lambda p, q: torch.cdist(p.flatten(1), q.flatten(1)).mean()  # noqa: E731
    return float(2 * apart(a, b) - apart(a, a) - apart(b, b))


def steepness(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Mean squared norm of a critic's gradient at x (n, ...), a score (Mescheder et al., 2018, eq. 9): to be differentiated in turn."""
    x = x.detach().requires_grad_()
    scores = score(x)
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return slope.square().flatten(1).sum(1).mean() / scores[0].numel()


def lead(one: Tensor, other: Tensor) -> Tensor:
    """What the scores of one cost by how far they are before those of the other: softplus of the difference, a mean."""
    return F.softplus(one - other).mean()


def penalised_lead(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, gamma: float, some: int) -> Tensor:
    """What a critic pays: how far made elements are before real ones, and half of gamma times its steepness at `some` of each, R1 and R2
    (Huang et al., 2024)."""
    return lead(critic(fake), critic(real)) + gamma / 2 * sum(steepness(critic, each[:some]) for each in (real, fake))
