"""What a model without a likelihood says of one element: its energy or its critic's score, among those of data and of samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Noise

WEIGHED, JUDGED, QUICK = 60, 400, 20  # elements whose energy, and whose score, is known; steps of their sampler


@dataclass(frozen=True)
class Weighed:
    """The energy of x; how hard its slope pulls, in [0, 1] like x, and where one step of it leads; p(y | x) by Bayes' rule, (classes,)."""

    energy: float
    pull: Tensor
    led: Tensor
    posterior: Tensor
    receipt: Receipt


def weigh(id: str, x: Tensor, y: int) -> Weighed:
    """Of one element (1, *shape) under a label, or without one (-1)."""
    loaded, label = catalog.open_model(id), torch.tensor([y])
    model = loaded.model
    with measured(loaded, id, 0, 1) as receipt:
        signal, labels = model.space.to_signal(x), model.labels(label, 1)
        slope, _ = model.slope(signal, labels)
        led = model.space.clamp(model.space.from_signal(signal - slope))
        energy = float(model.energy(x, label))
        posterior = model.log_prob(x.expand(model.classes, *x.shape[1:]), torch.arange(model.classes)).softmax(0)
    pull = (slope.abs() / slope.abs().max().clamp_min(1e-6)).sqrt()
    return Weighed(energy, pull, led, posterior, receipt)


@dataclass(frozen=True)
class Criticised:
    """x as the generator does it at its best, and the critic's scores of both."""

    again: Tensor
    mine: float
    near: float
    receipt: Receipt


def criticise(id: str, x: Tensor, y: int) -> Criticised:
    """Of one element (1, *shape) under a label, or without one (-1)."""
    loaded, label = catalog.open_model(id), torch.tensor([y])
    model = loaded.model
    with measured(loaded, id, 0, 1) as receipt:
        again = model.decode(model.encode(x, label), label)
        mine, near = (float(model.score(some, label)) for some in (x, again))
    return Criticised(again, mine, near, receipt)


@lru_cache(maxsize=22)
def known_energies(id: str, y: int) -> tuple[Tensor, Tensor]:
    """Of held-out elements and of samples, each under its label (with -1: without)."""
    model, real = catalog.load(id), _held_out(id, y, WEIGHED)
    labels = torch.full((WEIGHED,), y)
    made = model.sample(Noise(range(WEIGHED)), labels, model.Settings(steps=QUICK))
    return model.energy(real, labels[: len(real)]), model.energy(made, labels)


@lru_cache(maxsize=22)
def known_scores(id: str, y: int) -> tuple[Tensor, Tensor]:
    """The critic's of held-out elements and of samples, of one label (with -1: of any, and it is not told which)."""
    model, real = catalog.load(id), _held_out(id, y, JUDGED)
    made = model.sample(Noise(range(JUDGED)), torch.full((JUDGED,), y))
    return tuple(model.score(some, torch.full((len(some),), y)) for some in (real, made))


def _held_out(id: str, y: int, count: int) -> Tensor:
    data = catalog.dataset(id)
    x, labels = data.shown()
    return data.space.read((x if y < 0 else x[labels == y])[:count])
