"""How fast a chain mixes: the digit that is read after each sweep, and how many sweeps pass until it is another."""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_models.applications.restore import read
from dgm_models.contracts import Frame


def labels_along(frames: list[Frame]) -> Tensor:
    """The digit that the reader sees in each picture of a film, (frames, n) int64."""
    return torch.stack([read(frame.x).argmax(1) for frame in frames])


def sweeps_between_changes(labels: Tensor) -> float:
    """Sweeps a chain between two in which it reads otherwise, from labels (sweeps, n); infinite where none ever does."""
    changes = int((labels[1:] != labels[:-1]).sum())
    return (len(labels) - 1) * labels.shape[1] / changes if changes else float("inf")
