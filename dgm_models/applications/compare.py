"""The same noise by several samplers, or by several machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Frame, Noise, Settings


@dataclass(frozen=True)
class Drawn:
    """By one model with one sampler: a film of (n, *shape), and what it cost."""

    id: str
    frames: list[Frame]
    receipt: Receipt


def all_labels(id: str, seed: int, settings: Settings | None = None) -> Drawn:
    """A draw of each label in turn."""
    loaded = catalog.open_model(id)
    classes = loaded.model.classes
    with measured(loaded, id, seed, classes) as receipt:
        frames = list(loaded.model.trace(Noise(seeds_from(seed, classes)), torch.arange(classes), settings))
    return Drawn(id, frames, receipt)


def more_steps(id: str, y: int, seed: int, steps: Sequence[int], **knobs: Any) -> tuple[Tensor, Receipt]:
    """One noise, drawn in more and more steps: (len(steps), *shape)."""
    loaded = catalog.open_model(id)
    model, label = loaded.model, torch.tensor([y])
    with measured(loaded, id, seed, 1) as receipt:
        pictures = [model.sample(Noise([seed]), label, model.Settings(steps=count, **knobs)) for count in steps]
    return torch.cat(pictures), receipt


@dataclass(frozen=True)
class Component:
    """Of a mixture: the means of a label, (components, *shape); one component's weight, and it with its factors turned together, a frame a
    turn of (rank, *shape)."""

    means: Tensor
    weight: float
    turned: list[Frame]


def anatomy(id: str, y: int, k: int) -> Component:
    """The k-th of a label, from 0; ValueError where there are not so many."""
    model = catalog.load(id)
    components, rank = model.factors.shape[1], model.factors.shape[-1]
    if not 0 <= k < components:
        raise ValueError(f"Component: expected 1 to {components}, got {k + 1}")
    means = model.means[y].view(-1, *model.space.shape)
    order = model.factors[y, k].square().sum(0).argsort(descending=True)
    factors = model.factors[y, k].T[order].view(rank, *model.space.shape)
    turns = torch.cat([torch.linspace(0, -2, 7), torch.linspace(-1.67, 2, 12)])
    turned = [Frame(model.space.clamp(means[k] + z * factors), f"each factor at z = {z:+.1f}") for z in turns.tolist()]
    return Component(model.space.clamp(means), float(model.log_weights[y].softmax(0)[k]), turned)
