"""Diffusion: its samples, and samplers side by side from one noise."""

from __future__ import annotations

from typing import Any

from dgm_models import catalog
from dgm_models.applications.compare import more_steps
from dgm_models.contracts import Settings
from dgm_models.samplers import SAMPLERS
from dgm_models.ui import panel as p
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, look, still
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL, STUDENT = "diffusion", "Diffusion", "diffusion-mnist", "diffusion-fast-mnist"
STEPS = (1, 2, 4, 8, 16, 32)
HEADS = tuple(f"{steps} step{'s' if steps > 1 else ''}" for steps in STEPS)


def build() -> Live:
    panel = family_panel(ID, MODEL, "diffusion")
    data = panel.fields[-1]
    panel.parts["samplers"] = p.panel(
        f"{ID}.samplers",
        [
            p.column(
                1,
                p.class_of("of", "Label", 5, data),
                p.seed(11),
                p.knobs(catalog.family(MODEL).Settings, only=("guidance_scale",)),
                p.press("Compare"),
                p.borrowed(data, "Data set", tuple(catalog.across(MODEL))),
                width=180,
            ),
            p.column(5, p.player("diffusion-samplers"), width=300),
        ],
        _compared,
        "Samplers side by side",
        "One noise, more and more steps. On this straight path DDIM and Euler are the same step.",
    )
    return panel


def _compared(of: int, seed: int, settings: Settings, data: str) -> list[Any]:
    """One noise, every sampler, more and more steps; the student beside them."""
    main, student, rows = catalog.across(MODEL)[data], catalog.across(STUDENT).get(data), []
    view = look(catalog.dataset(main))
    choices = [(main, name, STEPS, {"sampler": name, "guidance_scale": settings.guidance_scale}) for name in SAMPLERS]
    if student:
        choices.append((student, "the student", STEPS[:3], {}))
    for id, name, steps, knobs in choices:
        pictures, receipt = more_steps(id, of, seed, steps, **knobs)
        hint = "guidance learned; taught in 4, then 2 steps; " if id == student else ""
        rows.append(Row(still(pictures), len(STEPS), name, f"{hint}{receipt.cost} in all", HEADS[: len(pictures)], view=view))
    used = [main, student] if student else [main]
    return [Film(rows, f"diffusion-samplers-{seed}", f"seed {seed} · {Models.provenance(used)}")]
