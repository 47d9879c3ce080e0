"""The generative stochastic network: its samples, one denoiser run in three ways, and how its chain wanders from digit to digit."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.chains import WanderSettings, changes, denoising
from dgm_models.applications.compare import all_labels
from dgm_models.families.gsn import ANNEALED, CHAIN, ONCE, GSNRestoring, GSNSettings
from dgm_models.ui import panel as p
from dgm_models.ui.charts import stairs
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "gsn", "Stochastic", "gsn-mnist"
CHAINS = 8
SAID = {
    ONCE: "a denoising autoencoder, once: the mean of all that the noise could have been",
    CHAIN: "the same, over and over at one level of noise",
    ANNEALED: "the same, while the noise falls step by step",
}


def build() -> Live:
    panel = family_panel(ID, MODEL, "gsn")
    panel.parts["three"] = p.knob_panel(
        "gsn-three",
        f"{ID}.three",
        GSNRestoring,
        _three,
        "Three samplers",
        "One denoiser, run once, run as a chain, and run while the noise falls: from autoencoder to diffusion.",
    )
    film, chart = p.player("gsn-chain"), p.chart("gsn-chain")
    panel.parts["chain"] = p.panel(
        f"{ID}.chain",
        [
            p.column(3, p.pad("wandering", 18), p.label(), p.seed()),
            p.column(3, p.knobs(WanderSettings)),
            p.column(6, film, chart, width=300),
        ],
        _wandered,
        "Your digit wanders",
        "With little noise a chain stays what it is; with much it wanders, and draws less sharply.",
        order=[chart, film],
    )
    return panel


def _three(seed: int, settings: GSNRestoring) -> list[Any]:
    """Ten digits by each use of the one denoiser, from the same noise."""
    rows = []
    for sampler, said in SAID.items():
        chosen = GSNSettings(sampler=sampler, sweeps=settings.sweeps, level=settings.level, temperature=settings.temperature)
        made = all_labels(MODEL, seed, chosen)
        rows.append(Row(made.frames, len(made.frames[0].x), sampler, f"{said}; {made.receipt.cost}"))
    return [Film(rows, f"gsn-three-{seed}", f"seed {seed} · {Models.provenance([MODEL])}")]


def _wandered(x: Tensor, y: int, seed: int, settings: WanderSettings) -> list[Any]:
    """Chains that start at one digit, and the digit that is read in each after every sweep."""
    walk = denoising(MODEL, x, y, seed, settings, CHAINS)
    read, every = changes(walk)
    said = f"another digit every {every:.0f} sweeps" if every < float("inf") else f"the same digit for all of {settings.sweeps} sweeps"
    film = Film([Row(walk.frames, 4)], f"gsn-chain-{seed}", str(walk.receipt))
    names = catalog.dataset(MODEL).condition.names
    return [stairs(read, names, "sweep", f"The digit that is read in each chain: {said}"), film]
