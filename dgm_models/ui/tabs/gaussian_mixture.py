"""The Gaussian mixture: its samples, and what it is made of."""

from __future__ import annotations

from typing import Any

from dgm_models import catalog
from dgm_models.applications.compare import anatomy
from dgm_models.ui import panel as p
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, look, still
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "mixture", "Mixture", "gmm-mnist"
COMPONENTS = 20


def build() -> Live:
    panel = family_panel(ID, MODEL, "gaussian_mixture")
    data = panel.fields[-1]
    panel.parts["anatomy"] = p.panel(
        f"{ID}.anatomy",
        [
            p.column(
                1,
                p.class_of("of", "Label", 3, data),
                p.count("component", "Component", 1, COMPONENTS, 1),
                p.borrowed(data, "Data set", tuple(catalog.across(MODEL))),
                width=180,
            ),
            p.column(5, p.player("mixture-anatomy"), width=300),
        ],
        _taken_apart,
        "Components",
        "What it is made of: the means of one label, and one component's factors turned from −2 to 2.",
    )
    return panel


def _taken_apart(of: int, component: int, data: str) -> list[Any]:
    """All means of a label's mixture, and one component with each of its factors turned from -2 to 2."""
    id = catalog.across(MODEL)[data]
    made = anatomy(id, of, component - 1)
    chosen, rank = catalog.dataset(id), len(made.turned[0].x)
    name, view = chosen.condition.names[of], look(chosen)
    heads = tuple(str(i + 1) for i in range(rank))
    rows = [
        Row(still(made.means), 10, f"{len(made.means)} means", f"of the mixture of {name}", view=view),
        Row(made.turned, rank, f"component {component}", f"weight {made.weight:.1%}; its factors 1 to {rank}", heads, view=view),
    ]
    return [Film(rows, "mixture-anatomy", f"parameters as they are, nothing is drawn · {Models.provenance([id])}")]
