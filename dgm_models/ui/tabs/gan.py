"""The GAN: its samples, a walk through its codes, and what its critic says of a digit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.latent import circle
from dgm_models.applications.scores import criticise, known_scores
from dgm_models.contracts import Settings
from dgm_models.ui import panel as p
from dgm_models.ui.charts import Group, histograms
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "gan", "GAN", "gan-mnist"


def build() -> Live:
    panel = family_panel(ID, MODEL, "gan")
    panel.parts["walk"] = p.panel(
        f"{ID}.walk",
        [
            p.column(2, p.knobs(catalog.family(MODEL).Settings, only=("truncation",)), p.seed()),
            p.column(8, p.player("gan-walk"), width=300),
        ],
        _walked,
        "Latent walk",
        "One code for all ten labels, moving in a circle. What stays alike is what the code means.",
    )
    panel.parts["critic"] = _critic()
    return panel


def _walked(seed: int, settings: Settings) -> list[Any]:
    frames, receipt = circle(MODEL, seed, settings)
    return [Film([Row(frames, 5)], f"gan-walk-{seed}", str(receipt))]


def _critic() -> Live:
    film, chart = p.player("gan-critic"), p.chart("gan")
    return p.panel(
        f"{ID}.critic",
        [
            p.column(2, p.pad("criticised", 18), p.label()),
            p.column(4, film, width=280),
            p.column(
                5,
                chart,
                "Scores of two pictures may be compared, one alone means nothing: the critic learned which of a pair is real. "
                "Late in a game that went well, it can hardly tell the two histograms apart.",
                width=280,
            ),
        ],
        _criticised,
        "The critic",
        "Your digit, the nearest one that any code was found for, and what the critic says of both.",
        order=[chart, film],
    )


def _criticised(x: Tensor, y: int) -> list[Any]:
    """The digit, the nearest that the generator can do, and the critic's scores of both among those of real and generated ones."""
    said, (real, made) = criticise(MODEL, x, y), known_scores(MODEL, y)
    heads = ("your digit", "nearest generated", "difference")
    row = Row(still(torch.cat([x, said.again, (x - said.again).abs()])), 3, heads=heads)
    above = f"Your digit scores higher than {float((real < said.mine).float().mean()):.0%} of the test digits"
    film = Film([row], "gan-critic", f"{above} · {said.receipt.cost} · {Models.provenance([MODEL])}")
    groups = [Group("test digits", real, "data"), Group("samples", made, "model")]
    marks = [("your digit", said.mine), ("nearest generated", said.near)]
    return [histograms(groups, marks, "the critic's score: higher looks more real to it"), film]
