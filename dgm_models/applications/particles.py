"""Gradient flows of points in the plane: five ways to move the same particles to the same data, on one clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from dgm_models.contracts import Settings, check_seed, knob
from dgm_models.data import points
from dgm_models.families.gradient_flow import Critic, Velocity, discrepancy, flow, kernel_score, lipschitz, sliced, stein
from dgm_models.turns import clock, paced

DATA, LINES, WIDTH = 400, 30, 0.15  # points of data, directions of a slice, width of the kernel where a score is needed
TARGETS = {"two moons": points.moons, "ring of eight": points.ring}
STARTS = {"in the middle": (0.0, 0.0), "in a corner": (1.5, 1.5)}


class Method(NamedTuple):
    """How to move: the step at which it is at its ease, its velocity for data and a source of chance, and whether noise is added."""

    step_size: float
    velocity: Callable[[Tensor, torch.Generator], Velocity]
    noisy: bool = False


METHODS = {
    "Langevin": Method(0.005, lambda data, _: kernel_score(data, WIDTH), noisy=True),
    "Stein": Method(0.2, lambda data, _: stein(kernel_score(data, WIDTH))),
    "MMD": Method(0.2, lambda data, _: discrepancy(data)),
    "sliced Wasserstein": Method(0.2, lambda data, chance: sliced(data, LINES, chance)),
    "Lipschitz KL": Method(0.05, lambda data, chance: lipschitz(data, Critic(2, chance))),
}


@dataclass(frozen=True)
class FlowSettings(Settings):
    """Of all five at once."""

    target: str = knob("two moons", "Data", choices=tuple(TARGETS))
    start: str = knob("in a corner", "Start", choices=tuple(STARTS))
    particles: int = knob(200, "Particles", 10, 400, step=10)
    steps: int = knob(120, "Steps", 10, 300, step=10)
    step_size: float = knob(1.0, "Step size", 0.1, 3.0, step=0.1, help="1: what each method is at its ease with")
    spread: float = knob(0.3, "Width of the start", 0.05, 1.0, step=0.05)


@dataclass(frozen=True)
class Run:
    """Of one method: the particles at every step, (steps + 1, n, 2), and the milliseconds that they took."""

    name: str
    path: Tensor
    milliseconds: float


def race(seed: int, settings: FlowSettings) -> tuple[Tensor, list[Run]]:
    """The data (m, 2), and the run of each method from the same particles."""
    data, _ = TARGETS[settings.target](DATA, seed=1)
    chance = torch.Generator().manual_seed(check_seed(seed))
    begin = torch.tensor(STARTS[settings.start]) + settings.spread * torch.randn(settings.particles, 2, generator=chance)
    return data, [_run(name, begin, data, torch.Generator().manual_seed(seed), settings) for name in METHODS]


def _run(name: str, begin: Tensor, data: Tensor, chance: torch.Generator, settings: FlowSettings) -> Run:
    began, method = clock(), METHODS[name]
    noise = (lambda x: torch.randn(x.shape, generator=chance)) if method.noisy else None
    steps = flow(begin, method.velocity(data, chance), settings.step_size * method.step_size, settings.steps, noise)
    return Run(name, torch.stack(list(paced(steps))), 1000 * (clock() - began))
