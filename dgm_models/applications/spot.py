"""Spot the fake: real pictures among made ones, and which of them a reader doubts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models.applications.generate import generate
from dgm_models.applications.restore import read
from dgm_models.data import FIRST, SETS

SIDES, COUNT = 8, 16  # pictures a line, and in all


@dataclass(frozen=True)
class Hand:
    """x: pictures (16, *shape), half of them real. made: true where one is not, (16,). doubted: the eight of which the reader of digits is
    least sure what they show, (16,)."""

    x: Tensor
    made: Tensor
    doubted: Tensor


def deal(id: str, seed: int) -> Hand:
    """Held-out pictures and as many by a model, with the same labels, shuffled: a function of the seed."""
    x, y = SETS[FIRST].shown()
    generator = torch.Generator().manual_seed(seed)
    some = torch.randperm(len(y), generator=generator)[: COUNT // 2]
    own = generate(id, y[some], seed).x
    both, order = torch.cat([SETS[FIRST].space.read(x[some]), own.clamp(0, 1)]), torch.randperm(COUNT, generator=generator)
    shuffled = both[order]
    sure = read(shuffled).amax(1)
    doubted = torch.zeros(COUNT, dtype=torch.bool)
    doubted[sure.argsort()[: COUNT // 2]] = True
    return Hand(shuffled, order >= COUNT // 2, doubted)
