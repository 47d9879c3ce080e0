"""Digits on demand: draw from p(x | y)."""

from __future__ import annotations

import string
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import SEED_LIMIT, Frame, Noise, Settings, check_seed

MOST = 64


@dataclass(frozen=True)
class Generated:
    """The whole film; `x` is its last frame, (n, *shape)."""

    frames: list[Frame]
    labels: Tensor
    receipt: Receipt

    @property
    def x(self) -> Tensor:
        return self.frames[-1].x

    @property
    def milliseconds(self) -> float:
        return self.receipt.milliseconds


def read_digits(text: str, most: int = MOST) -> Tensor:
    """ "2024" -> labels (4,); a dash stands for any digit (-1). ValueError says what is allowed."""
    kept = "".join(text.split()) if isinstance(text, str) else ""
    if not 1 <= len(kept) <= most or not set(kept) <= set(string.digits + "-"):
        raise ValueError(f"Digits: expected 1 to {most} of 0 to 9, or - for any digit, got {str(text)[:40]!r}")
    return torch.tensor([-1 if c == "-" else int(c) for c in kept])


def seeds_from(seed: int, count: int) -> list[int]:
    """One seed a picture: seed, seed + 1, ... so that a picture keeps its seed when more are asked for."""
    seed = check_seed(seed)
    return [(seed + i) % SEED_LIMIT for i in range(count)]


def generate(id: str, digits: str | Tensor, seed: int, settings: Settings | None = None) -> Generated:
    """Draw one picture a digit. digits: text as `read_digits` takes it, or labels (n,) with -1 for any."""
    labels = read_digits(digits) if isinstance(digits, str) else digits
    if len(labels) > MOST:
        raise ValueError(f"How many: expected 1 to {MOST} pictures, got {len(labels)}")
    loaded, noise = catalog.open_for("sample", id), Noise(seeds_from(seed, len(labels)))
    with measured(loaded, catalog.recipe(id).title, seed, len(labels)) as receipt:
        frames = list(loaded.model.trace(noise, labels, settings))
    return Generated(frames, labels, receipt)
