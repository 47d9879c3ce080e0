"""Gradient flows of points in the plane: five ways to move the same particles to the same data, on one clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models.contracts import Settings, check_seed, knob
from dgm_models.data import points
from dgm_models.families.gradient_flow import Critic, discrepancy, energy_distance, flow, kernel_score, lipschitz, sliced, stein

DATA, LINES, WIDTH = 400, 30, 0.15  # points of data, directions of a slice, width of the kernel where a score is needed
TARGETS = {"two moons": points.moons, "ring of eight": points.ring}
STARTS = {"in the middle": (0.0, 0.0), "in a corner": (1.5, 1.5)}
METHODS = {  # with the step at which each is at its ease
    "Langevin": 0.005,
    "Stein": 0.2,
    "MMD": 0.2,
    "sliced Wasserstein": 0.2,
    "Lipschitz KL": 0.05,
}


@dataclass(frozen=True)
class FlowSettings(Settings):
    """Of all five at once."""

    particles: int = knob(200, "Particles", 10, 400, step=10)
    steps: int = knob(120, "Steps", 10, 300, step=10)
    step_size: float = knob(1.0, "Step size", 0.1, 3.0, step=0.1, help="1: what each method is at its ease with")
    spread: float = knob(0.3, "Width of the start", 0.05, 1.0, step=0.05)


@dataclass(frozen=True)
class Run:
    """Of one method: the particles at every step, (steps + 1, n, 2), their energy distance to the data at each, and milliseconds."""

    name: str
    path: Tensor
    distances: list[float]
    milliseconds: float


def race(target: str, start: str, seed: int, settings: FlowSettings) -> tuple[Tensor, list[Run]]:
    """The data (m, 2), and the run of each method from the same particles. ValueError for a target or start that is not there."""
    for what, known, name in (("Data", TARGETS, target), ("Start", STARTS, start)):
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"{what}: expected one of {', '.join(known)}, got {str(name)[:40]!r}")
    data, _ = TARGETS[target](DATA, seed=1)
    generator = torch.Generator().manual_seed(check_seed(seed))
    begin = torch.tensor(STARTS[start]) + settings.spread * torch.randn(settings.particles, 2, generator=generator)
    return data, [_run(name, begin, data, seed, settings) for name in METHODS]


def _run(name: str, begin: Tensor, data: Tensor, seed: int, settings: FlowSettings) -> Run:
    began, generator = time.perf_counter(), torch.Generator().manual_seed(seed)
    score, noise = kernel_score(data, WIDTH), None
    if name == "Langevin":
        velocity, noise = score, lambda x: torch.randn(x.shape, generator=generator)
    elif name == "Stein":
        velocity = stein(score)
    elif name == "MMD":
        velocity = discrepancy(data)
    elif name == "sliced Wasserstein":
        velocity = sliced(data, LINES, generator)
    else:
        velocity = lipschitz(data, _critic(seed))
    path = torch.stack(list(flow(begin, velocity, settings.step_size * METHODS[name], settings.steps, noise)))
    return Run(name, path, [energy_distance(x, data) for x in path], 1000 * (time.perf_counter() - began))


def _critic(seed: int) -> Critic:
    """With weights, and vectors that its stretch is found by, of its own seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Critic(2)


def picture(x: Tensor, behind: Tensor | None = None, side: int = 60, reach: float = 2.1) -> Tensor:
    """Points of the plane as dots, bright, before others, dim: (n, 2) -> (1, 1, side, side) in [0, 1]."""
    canvas = torch.zeros(side, side)
    for dots, shade in ((behind, 0.35), (x, 1.0)):
        if dots is None:
            continue
        column, row = (((dots / reach + 1) / 2 * side).long()).unbind(1)
        row = side - 1 - row
        inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
        canvas[row[inside], column[inside]] = shade
    return canvas[None, None]
