"""Generative flow networks: build an object step by step, so that each ends up drawn in proportion to its reward (Bengio et al., 2021).

Here the object is a cell of a square grid, reached from a corner by steps right and down and a last step that stops. Trajectory
balance (Malkin et al., 2022): along every way to a cell, Z times the chances of its steps is the reward of the cell times the
chances of the same steps backward. Where that holds, cells are drawn in proportion to their reward, and Z is their sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dgm_models.networks.mlp import redraw

DOWN, RIGHT, STOP = range(3)
BATCH = 128  # trajectories a step of training


class Trained(NamedTuple):
    """After so many trajectories: the mean squared imbalance of the last ones, log Z as learned, and the chance of each cell."""

    trajectories: int
    imbalance: float
    log_z: float
    chances: Tensor


class GridPolicy(nn.Module):
    """log P_F of the three actions in each cell of a side x side grid, from its row and its column; and log Z."""

    def __init__(self, side: int, generator: torch.Generator, width: int = 128) -> None:
        super().__init__()
        self.side = side
        self.body = nn.Sequential(nn.Linear(2 * side, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 3))
        self.log_z = nn.Parameter(torch.zeros(()))
        redraw(self.body, generator)
        row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        where = torch.cat([torch.eye(side)[row.flatten()], torch.eye(side)[column.flatten()]], dim=1)
        self.register_buffer("where", where, persistent=False)
        edge = torch.stack([row == side - 1, column == side - 1, torch.zeros_like(row, dtype=torch.bool)], dim=2)
        self.register_buffer("edge", edge.view(-1, 3), persistent=False)  # what would leave the grid
        self.register_buffer("log_backward", log_backward(side), persistent=False)

    def forward(self) -> Tensor:
        """(side * side, 3), cells row by row; -inf for steps off the grid."""
        return self.body(self.where).masked_fill(self.edge, -math.inf).log_softmax(1)


def log_backward(side: int) -> Tensor:
    """log P_B of the step that led to each cell, (side * side,): even among its parents, of which there are two, one, or none."""
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return -math.log(2) * ((row > 0) & (column > 0)).flatten().float()


@torch.no_grad()
def ways(log_forward: Tensor, n: int, generator: torch.Generator, explore: float = 0.0) -> tuple[Tensor, Tensor]:
    """n trajectories of the policy, each action with probability `explore` a step down or right by chance instead: the cells (n, steps)
    that they pass, the last one repeated, and the actions taken there, -1 after the stop."""
    side = round(len(log_forward) ** 0.5)
    onward = log_forward > -math.inf
    onward[:-1, STOP] = False  # who explores goes on, but in the last cell: chance that stops would never get far
    bounds = ((1 - explore) * log_forward.exp() + explore * onward / onward.sum(1, keepdim=True)).cumsum(1)
    at, going = torch.zeros(n, dtype=torch.long), torch.ones(n, dtype=torch.bool)
    cells, actions = [], []
    for drawn in torch.rand(2 * side - 1, n, generator=generator):
        action = (drawn[:, None] * bounds[at, -1:] >= bounds[at]).sum(1).clamp(max=STOP)
        cells.append(at)
        actions.append(torch.where(going, action, -1))
        going = going & (action != STOP)
        at = at + torch.where(going, torch.where(action == DOWN, side, 1), 0)
    return torch.stack(cells, dim=1), torch.stack(actions, dim=1)


def imbalance(policy: GridPolicy, log_forward: Tensor, cells: Tensor, actions: Tensor, log_reward: Tensor) -> Tensor:
    """log Z + sum log P_F - log R - sum log P_B of each trajectory, (n,): zero where trajectory balance holds (Malkin et al., 2022)."""
    taken = actions >= 0
    forward = torch.where(taken, log_forward[cells, actions.clamp(min=0)], 0.0).sum(1)
    backward = torch.where(taken, policy.log_backward[cells], 0.0).sum(1)  # of every cell that is passed, to its parents
    return policy.log_z + forward - log_reward[cells[:, -1]] - backward


@torch.no_grad()
def cell_chances(log_forward: Tensor) -> Tensor:
    """How likely the policy stops in each cell, exactly, from the corner on: (side, side), summing to 1."""
    side = round(len(log_forward) ** 0.5)
    step = log_forward.exp().double().view(side, side, 3)
    reach = torch.zeros(side, side, dtype=torch.float64)
    reach[0, 0] = 1
    for diagonal in range(1, 2 * side - 1):
        row = torch.arange(max(0, diagonal - side + 1), min(side, diagonal + 1))
        column = diagonal - row
        above, left = row > 0, column > 0
        reach[row[above], column[above]] += reach[row[above] - 1, column[above]] * step[row[above] - 1, column[above], DOWN]
        reach[row[left], column[left]] += reach[row[left], column[left] - 1] * step[row[left], column[left] - 1, RIGHT]
    return reach * step[..., STOP]


def total_variation(chances: Tensor, reward: Tensor) -> float:
    """Half the sum of differences between how likely cells are and how likely their reward says: 0 to 1."""
    return float(0.5 * (chances - reward.double() / reward.double().sum()).abs().sum())


@torch.no_grad()
def _trained(policy: GridPolicy, trajectories: int, loss: float) -> Trained:
    """The state of a training. Made apart: to yield where gradients are off would leave them off for whatever the thread does next."""
    return Trained(trajectories, loss, float(policy.log_z), cell_chances(policy()))


def train_grid(
    policy: GridPolicy,
    reward: Tensor,
    generator: torch.Generator,
    steps: int = 1000,
    batch: int = BATCH,
    explore: float = 0.1,
    rate: float = 1e-2,
    reports: int = 40,
) -> Iterator[Trained]:
    """Descend on the squared imbalance of trajectories of the policy itself, some actions by chance; a report now and then, and at the end.

    reward: (side, side), positive. ValueError for anything else.
    """
    if reward.shape != (policy.side, policy.side) or not torch.isfinite(reward).all() or not (reward > 0).all():
        raise ValueError(f"expected positive rewards of shape {(policy.side, policy.side)}, got {tuple(reward.shape)}")
    log_reward = reward.flatten().log()
    descent = torch.optim.Adam([{"params": policy.body.parameters()}, {"params": [policy.log_z], "lr": 20 * rate}], lr=rate)
    fall = torch.optim.lr_scheduler.LambdaLR(descent, lambda step: 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
    yield _trained(policy, 0, math.nan)
    for step in range(1, steps + 1):
        log_forward = policy()
        cells, actions = ways(log_forward.detach(), batch, generator, explore)
        loss = imbalance(policy, log_forward, cells, actions, log_reward).square().mean()
        descent.zero_grad()
        loss.backward()
        descent.step()
        fall.step()
        if step % max(1, steps // reports) == 0 or step == steps:
            yield _trained(policy, step * batch, float(loss.detach()))


def four_modes(side: int = 32, floor: float = 0.1) -> Tensor:
    """The reward of Bengio et al., 2021, section 4.1, in two dimensions: a plateau and a peak near each corner, (side, side)."""
    x = (torch.arange(side) / (side - 1) - 0.5).abs()
    plateau, peak = (x > 0.25).float(), ((x > 0.3) & (x < 0.4)).float()
    return floor + 0.5 * plateau[:, None] * plateau + 2.0 * peak[:, None] * peak
