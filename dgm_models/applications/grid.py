"""A generative flow network on a grid: shape a reward, train, and compare what is drawn with what should be, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models.contracts import Settings, check_seed, knob
from dgm_models.data import FIRST, SETS
from dgm_models.families.grid_gflownet import BATCH, GridPolicy, Trained, four_modes, train_grid, ways

SIDE, FLOOR, SHOWN = SETS[FIRST].space.side, 0.001, 4  # a reward is drawn on the pad for digits
PRESETS = ("four modes", "one far away", "ring")


@dataclass(frozen=True)
class GridSettings(Settings):
    """Of the training."""

    steps: int = knob(800, "Steps", 50, 1500, step=50, help=f"of {BATCH} trajectories each")
    explore: float = knob(0.1, "Exploration", 0.0, 0.5, step=0.05, help="the share of actions in training that are a step by chance")


def preset(name: str) -> Tensor:
    """A reward by name, (SIDE, SIDE) in [0, 1]. ValueError for a name that is none."""
    if name not in PRESETS:
        raise ValueError(f"Reward: expected one of {', '.join(PRESETS)}, got {str(name)[:40]!r}")
    if name == "four modes":
        return four_modes(SIDE, floor=0.0) / 2.5
    at = torch.arange(SIDE).float()
    if name == "ring":
        away = ((at - 13.5).square()[:, None] + (at - 13.5).square()).sqrt()
        return ((away - 9).abs() < 1.5).float()
    near = lambda row, column: ((at - row).square()[:, None] + (at - column).square() < 9).float()  # noqa: E731
    return 0.4 * near(4, 4) + near(23, 23)


def shaped(ink: Tensor) -> Tensor:
    """What was drawn, in [0, 1], as a reward: a little everywhere, so that its logarithm exists."""
    return FLOOR + ink.view(SIDE, SIDE)


def fresh(seed: int) -> GridPolicy:
    """A policy with weights of its seed."""
    return GridPolicy(SIDE, torch.Generator().manual_seed(check_seed(seed)))


def learn(policy: GridPolicy, reward: Tensor, seed: int, settings: GridSettings) -> Iterator[Trained]:
    """Reports of its training."""
    yield from train_grid(policy, reward, torch.Generator().manual_seed(check_seed(seed)), steps=settings.steps, explore=settings.explore)


@torch.no_grad()
def followed(policy: GridPolicy, seed: int, count: int = SHOWN) -> Tensor:
    """Ways that the policy takes, (steps, count, SIDE, SIDE): the cells passed so far dim, the one it is in bright."""
    cells, _ = ways(policy(), count, torch.Generator().manual_seed(check_seed(seed)))
    canvas, film, row = torch.zeros(count, SIDE * SIDE), [], torch.arange(count)
    for at in cells.T:
        now = canvas.clone()
        now[row, at] = 1.0
        film.append(now.view(count, SIDE, SIDE))
        canvas[row, at] = 0.45
    return torch.stack(film)
