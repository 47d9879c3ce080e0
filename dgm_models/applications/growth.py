"""The greedy training of a belief network, replayed from what was kept of it: its filters and what it draws at each moment."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.applications.restore import read
from dgm_models.contracts import Frame, Noise, Settings, knob, last

MODEL, FILTERS = "dbn-growth-mnist", 20
WORDS = (  # what learns up to each moment
    "first machine",
    "first machine",
    "first machine, learned",
    "machine above",
    "machine above, learned",
    "all, awake and asleep",
)


@dataclass(frozen=True)
class GrowthSettings(Settings):
    """Of the draws."""

    sweeps: int = knob(200, "Sweeps", 2, 400, step=1)


@dataclass(frozen=True)
class Growth:
    """A frame a moment: the same FILTERS filters, ten draws (of label 0 to 9, once labels are known), and the receipt."""

    filters: list[Frame]
    draws: list[Frame]
    receipt: Receipt


def replay(seed: int, settings: GrowthSettings) -> Growth:
    """Ten chains at every moment that was kept, all from the same noise. ValueError where the seed is none."""
    loaded, labels = catalog.open_model(MODEL), torch.arange(catalog.dataset(MODEL).condition.count)
    model, steps = loaded.model, catalog.recipe(MODEL).steps
    done = [round(steps * share) for share in (*model.at_shares, 1)]
    stages = [model.stage(index) for index in range(len(done))]
    with measured(loaded, MODEL, seed, len(labels)) as receipt:
        drawn = []
        for stage in stages:
            y, settings_of = labels if stage.classes else None, stage.Settings(sweeps=settings.sweeps)
            drawn.append(last(stage.trace(Noise(seeds_from(seed, len(labels))), y, settings_of)).x)
    weights = [model.filters(index) for index in range(len(done))]
    shown = weights[-1].norm(dim=1).argsort(descending=True)[:FILTERS]
    right = [int((read(x).argmax(1) == labels).sum()) for x in drawn]
    said = [
        f"0 to {len(labels) - 1} asked for; {count} of {len(labels)} read so" if stage.classes else "no label to ask for"
        for count, stage in zip(right, stages, strict=True)
    ]
    filters = [Frame(_visible(w[shown]), f"step {n:,}: {word}") for w, n, word in zip(weights, done, WORDS, strict=True)]
    return Growth(filters, [Frame(x, word) for x, word in zip(drawn, said, strict=True)], receipt)


def _visible(filters: Tensor) -> Tensor:
    """Weights (n, size) as pictures, grey where there is none, each by its own largest."""
    return (0.5 + 0.5 * filters / filters.abs().amax(1, keepdim=True).clamp_min(1e-6)).view(-1, *catalog.dataset(MODEL).space.shape)
