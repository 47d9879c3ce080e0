"""The deep Boltzmann machine: its samples, and the three machines of one descent side by side."""

from __future__ import annotations

from typing import Any

from dgm_models import catalog, weights
from dgm_models.applications.compare import all_labels
from dgm_models.contracts import Settings
from dgm_models.evaluation.figures import SIGN
from dgm_models.ui import panel as p
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "boltzmann", "Boltzmann", "dbm-mnist"
DESCENT = ("rbm-mnist", "dbn-mnist", "dbm-mnist")


def build() -> Live:
    panel = family_panel(ID, MODEL, "boltzmann")
    panel.parts["descent"] = p.knob_panel(
        "boltzmann-descent",
        f"{ID}.descent",
        catalog.family(MODEL).Settings,
        _descended,
        "Three machines",
        "One hidden layer; a stack that draws downward; two layers that hear each other.",
    )
    return panel


def _descended(seed: int, settings: Settings) -> list[Any]:
    """A chain a label of each machine, labels held, from the same seeds and with the same settings."""
    known = weights.manifest()
    made = [all_labels(id, seed, settings) for id in DESCENT if id in known]
    rows = []
    for each in made:
        scores = known[each.id].get("scores", {})
        nats = f"{SIGN.get(scores.get('nats_evidence'), '')}{scores['nats']:.1f} nats; " if "nats" in scores else ""
        caption = f"{nats}{each.receipt.cost}"
        rows.append(Row(each.frames, len(each.frames[0].x), catalog.recipe(each.id).title, caption))
    receipt = f"seed {seed} · {Models.provenance([each.id for each in made])}"
    return [Film(rows, f"boltzmann-{seed}", receipt)]
