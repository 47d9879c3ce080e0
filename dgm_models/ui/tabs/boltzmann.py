"""The deep Boltzmann machine: its samples, and the three machines of one descent side by side."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from dgm_models import catalog, weights
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Noise, Settings, check_seed
from dgm_models.evaluation.figures import SIGN
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row
from dgm_models.ui.tabs.shared import Models, knob_panel
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "boltzmann", "Deep Boltzmann", "dbm-mnist"
DESCENT = ("rbm-mnist", "dbn-mnist", "dbm-mnist")


def side_by_side(seed: Any, settings: Settings, link: str) -> list[Any]:
    """Ten chains of each machine, labels held, from the same seeds and with the same settings."""
    seed, rows, known = check_seed(seed), [], weights.manifest()
    ids = [id for id in DESCENT if id in known]
    for id in ids:
        loaded = catalog.open_model(id)
        with measured(loaded, id, seed, 10) as receipt:
            frames = list(loaded.model.trace(Noise(seeds_from(seed, 10)), torch.arange(10), settings))
        scores = known[id].get("scores", {})
        nats = f"{SIGN.get(scores.get('nats_evidence'), '')}{scores['nats']:.1f} nats; " if "nats" in scores else ""
        rows.append(Row(frames, 10, catalog.recipe(id).title, f"{nats}{receipt.cost}"))
    return [Film(rows, receipt=f"seed {seed} · {Models.provenance(ids)}", link=link, tall=330).value(f"boltzmann-{seed}")]


def build() -> Live:
    panel = family_panel(ID, MODEL, "boltzmann")
    gr.Markdown("### One descent: one hidden layer; a stack that draws downward; two layers that hear each other")
    kind = catalog.family(MODEL).Settings
    panel.parts["descent"] = knob_panel("boltzmann-descent", f"{ID}.descent", kind, "Other chains", side_by_side)
    return panel
