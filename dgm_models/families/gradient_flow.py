"""Generative gradient flows: particles move so that a divergence between them and the data falls as fast as it can.

A velocity is a function of all particles: (n, d) -> (n, d). Which divergence it is the gradient of, and in which geometry, makes
the method: Langevin dynamics and Stein variational gradient descent descend on the Kullback-Leibler divergence and need the score
of the target; the flows of the maximum mean discrepancy and of sliced Wasserstein distance need samples of it alone; and so does
the generative particle algorithm, whose critic of bounded slope turns an f-divergence into a field that is never steeper than that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.mlp import redraw

Velocity = Callable[[Tensor], Tensor]


def kernel_score(data: Tensor, width: float) -> Velocity:
    """Slope of the log-density of data (m, d) with Gaussian noise of that width, known in closed form."""

    def score(x: Tensor) -> Tensor:
        share = (-torch.cdist(x, data).square() / (2 * width**2)).softmax(1)
        return (share @ data - x) / width**2

    return score


def stein(score: Velocity) -> Velocity:
    """Stein variational gradient descent (Liu and Wang, 2016, eq. 8), with a Gaussian kernel as wide as the median distance says."""

    def velocity(x: Tensor) -> Tensor:
        apart = torch.cdist(x, x).square()
        width = (apart.median() / (2 * math.log(len(x) + 1))).clamp_min(1e-4)
        near = (-apart / (2 * width)).exp()
        push = (near.sum(1, keepdim=True) * x - near @ x) / width
        return (near @ score(x) + push) / len(x)

    return velocity


def discrepancy(data: Tensor) -> Velocity:
    """Flow of the maximum mean discrepancy (Arbel et al., 2019) with the kernel -|x - y|, whose discrepancy is the energy distance."""

    def towards(x: Tensor, others: Tensor) -> Tensor:
        apart = others[None] - x[:, None]
        return (apart / apart.norm(dim=2, keepdim=True).clamp_min(1e-3)).mean(1)

    return lambda x: towards(x, data) - towards(x, x)


def sliced(data: Tensor, directions: int, generator: torch.Generator) -> Velocity:
    """Flow of the sliced Wasserstein distance (Bonneel et al., 2015; Liutkus et al., 2019): along random lines, sorted to sorted."""

    def velocity(x: Tensor) -> Tensor:
        lines = F.normalize(torch.randn(directions, x.shape[1], generator=generator), dim=1)
        mine, order = (x @ lines.T).sort(0)
        at = (torch.arange(len(x)) + 0.5) / len(x)
        theirs = torch.quantile(data @ lines.T, at, dim=0)
        move = torch.zeros_like(mine).scatter(0, order, theirs - mine)
        return move @ lines * x.shape[1] / directions

    return velocity


class Critic(nn.Module):
    """Of points (n, d) -> (n,), with a slope of at most `steepest`: every layer is divided by its largest stretch."""

    def __init__(self, dimensions: int, generator: torch.Generator, steepest: float = 1.0, width: int = 64) -> None:
        super().__init__()
        sizes = [dimensions, width, width, 1]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.steepest = steepest
        redraw(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        for depth, layer in enumerate(self.layers):
            x = F.softplus(x, beta=4) if depth else x  # of slope 1 at most
            x = F.linear(x, layer.weight / torch.linalg.matrix_norm(layer.weight, 2), layer.bias)
        return self.steepest * x[:, 0]


def lipschitz(data: Tensor, critic: Critic, lessons: int = 4, rate: float = 5e-3) -> Velocity:
    """The generative particle algorithm (Gu et al., 2024), for the Kullback-Leibler divergence of the particles from the data.

    That is the supremum over f of mean f(particles) - log mean exp f(data), here over critics of bounded slope. Particles move down
    the slope of the best f found so far, which learns on as they move.
    """
    descent = torch.optim.Adam(critic.parameters(), lr=rate)

    def velocity(x: Tensor) -> Tensor:
        with torch.enable_grad():
            for _ in range(lessons):
                here, there = critic(torch.cat([x, data])).split([len(x), len(data)])
                gain = here.mean() - there.logsumexp(0) + math.log(len(data))
                descent.zero_grad()
                (-gain).backward()
                descent.step()
            leaf = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(critic(leaf).sum(), leaf)
        return -slope

    return velocity


@torch.no_grad()
def flow(x: Tensor, velocity: Velocity, step_size: float, steps: int, noise: Callable[[Tensor], Tensor] | None = None) -> Iterator[Tensor]:
    """Particles (n, d) at the start and after each step of Euler; with `noise`, sqrt(2 step) of it at each (Langevin dynamics)."""
    yield x
    for _ in range(steps):
        x = x + step_size * velocity(x)
        if noise is not None:
            x = x + math.sqrt(2 * step_size) * noise(x)
        yield x
