"""The autoregressive model: its samples, one pixel at a time, what raster order cannot heed; and the model of any order."""

from __future__ import annotations

import base64
from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog, weights
from dgm_models.applications.generate import generate
from dgm_models.applications.likelihood import png_bits
from dgm_models.applications.pixels import inspect
from dgm_models.applications.restore import hole
from dgm_models.contracts import Settings
from dgm_models.measurements import Hide
from dgm_models.modalities import image
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.inputs import fresh_seed
from dgm_models.ui.serve import whole
from dgm_models.ui.tabs.shared import ANSWERS, READER, Models, answer_row
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL, ANY = "autoregressive", "Autoregressive", "autoregressive-mnist", "any-order-mnist"
PARTICLES = (1, 16)


def build() -> Live:
    panel = family_panel(ID, MODEL, "autoregressive")
    panel.parts["pixels"] = _pixels()
    panel.parts["below"] = _below()
    if ANY not in weights.manifest():
        return panel
    words = "One network for p(pixel | any set of seen pixels): many pixels a step, and it can look below."
    panel.parts["any-order"] = family_panel(f"{ID}-any-order", ANY, "any_order", f"{ID}.any-order", "Any order", words)
    return panel


def _pixels() -> Live:
    view = p.Shown(lambda: widgets.pixels(ID), place=("at", _at_from_text, lambda here: "" if here is None else str(_pixel(here))))
    return p.panel(
        f"{ID}.pixels",
        [
            p.column(
                2,
                p.pad("raster", 84),
                p.label(),
                p.fill("Let the model draw one", f"{ID}.draw", "pad_raster", "label", _drawn),
                p.knobs(catalog.family(MODEL).Settings, only=("temperature", "top_p")),
            ),
            p.column(8, view, width=300),
        ],
        _inspected,
        "Next pixel",
        "Play, scrub or click. The bars are p(next pixel | the pixels before it); green is what it is.",
    )


def _inspected(x: Tensor, y: int, at: Any, settings: Settings) -> list[Any]:
    """Every next-pixel distribution of a digit, what each pixel costs, and what the chosen one listens to."""
    read = inspect(MODEL, x, y, None if at is None else _pixel(at), settings)
    field = read.field.sqrt()  # roots, so that the weak are seen beside the strong
    value = {
        "ink": _packed(image.levels(x)),
        "chances": _packed(image.levels(read.chances.sqrt())),
        "bits": [round(float(b), 2) for b in read.bits],
        "field": _packed(image.levels(field / field.max().clamp_min(1e-12))),
        "at": read.at,
        "total": f"what pixels cost: {read.bits.sum():.0f} bits, {read.bits_a_pixel:.2f} a pixel; as a PNG {x.numel() * png_bits(x):.0f}",
        "link": "",
    }
    return [value]


def _packed(levels: Any) -> str:
    return base64.b64encode(levels.tobytes()).decode()


def _pixel(here: Any) -> int:
    """The chosen pixel in raster order; ValueError for anything else."""
    return whole(here.get("at") if isinstance(here, dict) else here, "Pixel", 0, catalog.dataset(MODEL).space.size - 1)


def _at_from_text(text: str) -> dict[str, int] | None:
    return {"at": widgets.whole_from_text(text)} if text else None


def _drawn(y: int) -> Tensor:
    """A digit that the model draws: a new one at every press."""
    return generate(MODEL, torch.tensor([y]), fresh_seed(False)).x


def _below() -> Live:
    return p.panel(
        f"{ID}.below",
        [
            p.column(2, p.pad("below", 61), p.label(), p.seed()),
            p.column(8, p.player("autoregressive-below"), width=300),
        ],
        _heeded,
        "What lies below",
        "Raster order draws the upper half before it meets the lower one. Particles, weighed by how likely they find it, heed it.",
    )


def _heeded(x: Tensor, y: int, seed: int) -> list[Any]:
    """The upper half is asked for and the lower one seen: blind in raster order, with particles that are weighed by it, and by
    the model that may look anywhere."""
    mask = hole("upper half")
    away, kind = Hide(mask), catalog.family(MODEL).Restoring
    seen = away(x)
    rows = [Row(still(torch.cat([seen, x])), ANSWERS + 2, "the digit", "its lower half is given", ("seen", "whole"), "data", ~mask)]
    for many in PARTICLES:
        title = f"raster order, {many} particles" if many > 1 else "raster order, blind"
        rows.append(answer_row(MODEL, seen, away, seed, y, title, kind(particles=many)))
    if ANY in catalog.models_for("restore"):
        rows.append(answer_row(ANY, seen, away, seed, y, "any order"))
    used = [id for id in (MODEL, ANY, READER) if id in weights.manifest()]
    receipt = f"seeds {seed} to {seed + ANSWERS - 1} · {Models.provenance(used)}"
    return [Film(rows, f"autoregressive-below-{seed}", receipt)]
