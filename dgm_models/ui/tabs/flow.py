"""The normalizing flow: its samples, and a digit on its way to Gaussian noise and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgm_models.applications.latent import journey
from dgm_models.contracts import Frame
from dgm_models.ui import panel as p
from dgm_models.ui.charts import bars
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "flow", "Flow", "flow-mnist"


def build() -> Live:
    panel = family_panel(ID, MODEL, "flow")
    film, chart = p.player("flow-journey"), p.chart("flow")
    panel.parts["journey"] = p.panel(
        f"{ID}.journey",
        [
            p.column(2, p.pad("travelling", 61), p.label(), p.seed()),
            p.column(5, film, width=300),
            p.column(
                5,
                chart,
                "Noise is shown by its own distribution function, 0 black and 1 white. The seed chooses the place of each pixel "
                "within its level; log p does not depend on it.",
                width=280,
            ),
        ],
        _travelled,
        "There and back",
        "Your digit, layer by layer, to Gaussian noise, and back by the inverse of each layer.",
        order=[chart, film],
    )
    return panel


def _travelled(x: Tensor, y: int, seed: int) -> list[Any]:
    """The digit after each layer, what it costs in bits, and what each layer adds to log p."""
    way = journey(MODEL, x, y, seed)
    frames = [Frame(torch.cat([frame.x, way.cost]), frame.note) for frame in way.frames]
    came = "it came back exactly" if not way.off else f"{way.off} pixels came back otherwise: the model finds them all but impossible"
    size = sum(way.numbers)
    film = Film(
        [Row(frames, 2, heads=("on its way", "what pixels cost"))],
        f"flow-{seed}",
        f"log p = log N(z) {way.log_noise:,.0f} + log |det| {way.log_det:,.0f} - {size} log 256 {way.log_cells:,.0f} "
        f"= {way.nats:,.0f} nats · {came} · seed {seed} · {way.receipt.cost} · {Models.provenance([MODEL])}",
    )
    said = f"{sum(way.bits):.0f} bits in all, {way.bits_per_dimension:.2f} a pixel"
    return [bars(way.bits, [str(many) for many in way.numbers], "bits a layer, over how many pixels it makes", said), film]
