"""The deep belief network: its samples, ten chains that dream layer by layer, what it recognises in a digit, how it was learned greedily;
and the RBM below it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog, weights
from dgm_models.applications import growth
from dgm_models.applications.chains import SWEEPS, dreams, layers
from dgm_models.ui import panel as p
from dgm_models.ui.charts import shares
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import whole
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL, RBM = "belief", "Belief network", "dbn-mnist", "rbm-mnist"
LAST, DREAMS = 960, 4  # the most sweeps before a film; chains from your digit


def build() -> Live:
    panel = family_panel(ID, MODEL, "belief")
    panel.parts["chains"] = _chains()
    panel.parts["digit"] = _digit()
    if growth.MODEL in weights.manifest():
        panel.parts["growth"] = p.knob_panel(
            f"{ID}-growth",
            f"{ID}.growth",
            growth.GrowthSettings,
            _grown,
            "Layer by layer",
            "Six moments of its greedy training. Features find strokes first; then they hold still while the machine above learns, with "
            "the labels; only then do all weights move.",
        )
    words = "Below it, and before it: one layer of hidden units, and the label beside the pixels."
    panel.parts["rbm"] = family_panel(f"{ID}-rbm", RBM, "rbm", f"{ID}.rbm", "RBM", words)
    return panel


def _chains() -> Live:
    return p.panel(
        f"{ID}.chains",
        [
            p.column(
                2,
                p.seed(),
                p.count("after", "Sweeps before", 0, LAST, 0, step=SWEEPS),
                p.onward("after", f"Go on, {SWEEPS} sweeps", _further),
                "A chain moves slowly between shapes: after hundreds of sweeps many still show the digit that they found first. "
                "Samples above fade the energy in, which mixes better.",
            ),
            p.column(8, p.player("belief-chains"), width=300),
        ],
        _layered,
        "Chains",
        "Ten chains side by side, each with its label held, begin with units by chance. Go on, and see what stays.",
    )


def _further(after: Any) -> int:
    so_far = whole(after, "Sweeps before", 0, LAST)
    if so_far + SWEEPS > LAST:
        raise ValueError(f"The chains have gone {LAST + SWEEPS} sweeps, which is as far as this page follows them. Take other chains.")
    return so_far + SWEEPS


def _layered(seed: int, after: int) -> list[Any]:
    """Pictures, features and what is above them, sweep by sweep."""
    made = layers(MODEL, seed, after)
    columns = len(made.drawn[0].x)
    rows = [
        Row(made.drawn, columns, "Pictures", "what the features draw"),
        Row(made.features, columns, "Features", f"{made.sizes[0]} units, on or off"),
        Row(made.above, columns, "Above them", f"{made.sizes[1]} units, on or off"),
    ]
    return [Film(rows, f"belief-chains-{seed}-{after}", str(made.receipt))]


def _digit() -> Live:
    film, reading = p.player("belief-digit"), p.chart("belief-reading")
    return p.panel(
        f"{ID}.digit",
        [
            p.column(3, p.pad("believed", 18), p.seed()),
            p.column(9, film, reading, width=300),
        ],
        _recognised,
        "Recognise and dream",
        "Upward to the features and the label, then chains from there with nothing held.",
        order=[reading, film],
    )


def _recognised(x: Tensor, seed: int) -> list[Any]:
    """Which label the network recognises, what its features keep of the digit, and where chains that start there wander to."""
    said = dreams(MODEL, x, seed, DREAMS)
    kept = Row(still(torch.cat([x, said.seen, said.drawn])), 3, "Your digit", heads=("yours", "as it is seen", "its features draw"))
    row = Row(said.frames, DREAMS, "Dreams from there", "no label is held")
    film = Film([kept, row], f"belief-digit-{seed}", f"{said.receipt.cost} · {Models.provenance([MODEL])}")
    return [shares(said.posterior, catalog.dataset(MODEL).condition.names, "p(y | features)"), film]


def _grown(seed: int, settings: growth.GrowthSettings) -> list[Any]:
    """Six moments of the greedy training: what features look for, and ten draws."""
    made = growth.replay(seed, settings)
    rows = [
        Row(made.filters, growth.FILTERS // 2, "Features", "bright: ink wanted; dark: none"),
        Row(made.draws, len(made.draws[0].x), "Draws", f"{settings.sweeps} sweeps each, from one noise"),
    ]
    return [Film(rows, f"belief-growth-{seed}", str(made.receipt))]
