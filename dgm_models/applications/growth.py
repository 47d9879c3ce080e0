"""The greedy training of a belief network, replayed from what was kept of it: its filters and what it draws at each moment."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.applications.restore import read
from dgm_models.contracts import Frame, Noise, last

MODEL, FILTERS = "dbn-growth-mnist", 40
WORDS = (  # of each moment, what learns
    "the first machine, pixels and features",
    "the first machine, pixels and features",
    "the first machine has learned; it knows no labels",
    "features hold still; the machine of features and labels above them",
    "the machine above has learned",
    "all was tuned together, awake and asleep",
)


@dataclass(frozen=True)
class Growth:
    """A frame a moment: the same FILTERS filters, ten draws (of label 0 to 9, once labels are known), and the receipt."""

    filters: list[Frame]
    draws: list[Frame]
    receipt: Receipt


def replay(seed: int, sweeps: int) -> Growth:
    """Ten chains of so many sweeps at every moment that was kept, all from the same noise."""
    loaded, labels = catalog.open_model(MODEL), torch.arange(10)
    model, steps = loaded.model, catalog.recipe(MODEL).steps
    moments = len(model.at_shares)
    shown = model.filters(moments).norm(dim=1).argsort(descending=True)[:FILTERS]
    filters, draws = [], []
    with measured(loaded, MODEL, seed, 10) as receipt:
        for index in range(moments + 1):
            stage, noise = model.stage(index), Noise(seeds_from(seed, 10))
            known = labels if stage.classes else None
            x = last(stage.trace(noise, known, stage.Settings(sweeps=sweeps))).x
            done = round(steps * (model.at_shares[index] if index < moments else 1))
            right = int((read(x).argmax(1) == labels).sum())
            filters.append(Frame(_visible(model.filters(index)[shown]), f"after {done:,} of {steps:,} steps: {WORDS[index]}"))
            draws.append(Frame(x, f"0 to 9 asked for; {right} of 10 read so" if stage.classes else "no label to ask for"))
    return Growth(filters, draws, receipt)


def _visible(filters: Tensor) -> Tensor:
    """Weights (n, 784) as pictures, grey where there is none, each by its own largest."""
    return (0.5 + 0.5 * filters / filters.abs().amax(1, keepdim=True).clamp_min(1e-6)).view(-1, 1, 28, 28)
