"""The energy-based model: its samples, Langevin chains in its energy, and what it says of a digit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.chains import STARTS, ChainSettings, langevin
from dgm_models.applications.scores import known_energies, weigh
from dgm_models.ui import panel as p
from dgm_models.ui.charts import Group, histograms, lines, shares
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "energy", "Energy", "energy-mnist"
CHAINS = 6


def build() -> Live:
    panel = family_panel(ID, MODEL, "energy")
    panel.parts["chain"] = _chain()
    panel.parts["digit"] = _digit()
    return panel


def _chain() -> Live:
    film, chart = p.player("energy-chain"), p.chart("energy-chain")
    return p.panel(
        f"{ID}.chain",
        [
            p.column(3, p.pad("chained", 18), p.choice("start", "Start", STARTS, STARTS[2]), p.label(), p.seed()),
            p.column(3, p.knobs(ChainSettings)),
            p.column(6, film, chart, width=300),
        ],
        _wandered,
        "Langevin chains",
        "Downhill in the energy, with noise. A step of 2 reaches the bottom of a valley; one of more than 4 leaves it.",
        order=[chart, film],
    )


def _wandered(x: Tensor, start: str, y: int, seed: int, settings: ChainSettings) -> list[Any]:
    walk = langevin(MODEL, x, start, y, seed, settings, CHAINS)
    film = Film([Row(walk.frames, 3)], f"energy-chain-{seed}", str(walk.receipt))
    return [lines(walk.energies.T.tolist(), "step of the chain", "energy of each chain"), film]


def _digit() -> Live:
    phases, film, reading = p.chart("energy-phases"), p.player("energy-digit"), p.chart("energy-reading")
    return p.panel(
        f"{ID}.digit",
        [
            p.column(3, p.pad("weighed", 61), p.label()),
            p.column(
                4,
                phases,
                "This model learned by score matching, which needs no samples; where the two histograms differ, likelihood would "
                "still have something to teach it. A classifier, too: of one picture, the energies under ten labels may be "
                "compared, for the last third of the training taught them to tell labels apart.",
                width=280,
            ),
            p.column(5, film, reading, width=280),
        ],
        _weighed,
        "Your digit",
        "Two phases: the slope of log p in the parameters lowers the energy of data and lifts that of samples, until both agree.",
        order=[phases, reading, film],
    )


def _weighed(x: Tensor, y: int) -> list[Any]:
    said = weigh(MODEL, x, y)
    real, made = known_energies(MODEL, y)
    row = Row(still(torch.cat([x, said.pull, said.led])), 3, heads=("your digit", "how hard E pulls", "where it leads"))
    receipt = f"energy {said.energy:,.1f} · {said.receipt.cost} · {Models.provenance([MODEL])}"
    groups = [Group("test digits", real, "data"), Group("samples", made, "model")]
    return [
        histograms(groups, [("your digit", said.energy)], "energy"),
        shares(said.posterior, catalog.dataset(MODEL).condition.names, "p(y | x) by Bayes' rule"),
        Film([row], "energy-digit", receipt),
    ]
