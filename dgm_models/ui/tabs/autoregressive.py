"""Autoregressive models: their samples, one pixel at a time, and what it takes to heed what lies below."""

from __future__ import annotations

import base64
import math
from typing import Any

import gradio as gr
import torch

from dgm_models import catalog
from dgm_models.applications.generate import generate
from dgm_models.applications.likelihood import png_bits
from dgm_models.applications.restore import hole
from dgm_models.contracts import check_seed
from dgm_models.measurements import Hide
from dgm_models.modalities import image
from dgm_models.probability import bits_per_dimension
from dgm_models.ui import widgets
from dgm_models.ui.family_tab import family_panel, fresh_seed
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import MODEL_EVENT, answering, react, whole
from dgm_models.ui.tabs.shared import ANSWERS, READER, Models, answer_row, digit_pad, label_control, label_of, other_seed
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL, ANY = "autoregressive", "Autoregressive", "autoregressive-mnist", "any-order-mnist"
MIDDLE = slice(10 * 28, 18 * 28)  # the rows where the least certain pixel is the one that a visitor finds chosen
PARTICLES = (1, 16)


def inspect(pad: Any, here: Any, label: Any, temperature: Any, top_p: Any) -> dict[str, Any]:
    """Every next-pixel distribution of a digit, what each pixel costs, and what the chosen one listens to."""
    x, _ = widgets.from_sketch(pad)
    model, y = catalog.load(MODEL), torch.tensor([label_of(label)])
    chances = model.next_probabilities(x, y, model.Settings(temperature=temperature, top_p=top_p))[0]
    nats = model.pixel_log_prob(x, y)
    bits, raw = -nats.flatten() / math.log(2), image.levels(x)
    doubt = torch.special.entr(chances[MIDDLE]).sum(1)
    at = int(doubt.argmax()) + MIDDLE.start if here is None else _pixel(here)
    field = model.receptive_field(x, at, y).sqrt()  # roots, so that the weak are seen beside the strong
    mean = float(bits_per_dimension(nats.sum(), model.space.size))
    return {
        "ink": _packed(raw),
        "chances": _packed(image.levels(chances.sqrt())),
        "bits": [round(float(b), 2) for b in bits],
        "field": _packed(image.levels(field / field.max().clamp_min(1e-12))),
        "at": at,
        "total": f"what pixels cost: {bits.sum():.0f} bits, {mean:.2f} a pixel; as a PNG {784 * png_bits(x):.0f}",
    }


def _packed(levels: Any) -> str:
    return base64.b64encode(levels.tobytes()).decode()


def _pixel(here: Any) -> int:
    """The chosen pixel, 0 to 783 in raster order; ValueError for anything else."""
    return whole(here.get("at") if isinstance(here, dict) else here, "Pixel", 0, 783)


def _at_from_text(text: str) -> dict[str, int] | None:
    return {"at": widgets.whole_from_text(text)} if text else None


def _drawn(label: Any) -> list[dict[str, Any]]:
    """A digit that the model draws: a new one at every press."""
    made = generate(MODEL, torch.tensor([label_of(label)]), fresh_seed(False))
    return [widgets.to_sketch(made.x)]


def heed(pad: Any, label: Any, seed: Any, link: str) -> list[Any]:
    """The upper half is asked for and the lower one seen: blind in raster order, with particles that are weighed by it, and by
    the model that may look anywhere."""
    (picture, _), y, seed = widgets.from_sketch(pad), label_of(label), check_seed(seed)
    mask = hole("upper half")
    away, kind = Hide(mask), catalog.family(MODEL).Restoring
    seen = away(picture)
    rows = [Row(still(torch.cat([seen, picture])), ANSWERS + 2, "the digit", "its lower half is given", ("seen", "whole"), "data", ~mask)]
    for many in PARTICLES:
        title = f"raster order, {many} particles" if many > 1 else "raster order, blind"
        rows.append(answer_row(MODEL, seen, away, seed, y, title, kind(particles=many)))
    if ANY in catalog.models_for("restore"):
        rows.append(answer_row(ANY, seen, away, seed, y, "any order"))
    used = [id for id in (MODEL, ANY, READER) if id in catalog.weights.manifest()]
    receipt = f"seeds {seed} to {seed + ANSWERS - 1} · {Models.provenance(used)}"
    return [Film(rows, receipt=receipt, link=link, tall=330).value(f"autoregressive-below-{seed}")]


def build() -> Live:
    panel = family_panel(ID, MODEL, "autoregressive")
    panel.parts["pixels"] = _pixels()
    panel.parts["below"] = _below()
    if ANY not in catalog.weights.manifest():
        return panel
    gr.Markdown("### Any order: one network for p(pixel | any set of seen pixels). Many pixels a step, and it can look below")
    panel.parts["any-order"] = family_panel(f"{ID}-any-order", ANY, "any_order", address=f"{ID}.any-order")
    return panel


def _pixels() -> Live:
    gr.Markdown("### One pixel at a time: play, scrub or click. The bars are p(next pixel | the pixels before it); green is what it is")
    settings = catalog.family(MODEL).Settings.knobs()
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("raster", ["draw", "erase"], 84)
            own = gr.Button("Let the model draw one", size="sm")
            label = label_control()
            temperature, top_p = (
                gr.Slider(knob.low, knob.high, value=default, step=knob.step, label=knob.label)
                for default, knob in (settings["temperature"], settings["top_p"])
            )
        with gr.Column(scale=8, min_width=300):
            view = widgets.pixels(ID)

    def run(*values: Any) -> list[Any]:
        pad, _, *rest = values
        made = inspect(*values)
        return [{**made, "link": part.link([pad, {"at": made["at"]}, *rest])}]

    at = Field("at", view, _at_from_text, lambda here: "" if here is None else str(_pixel(here)), costly=False)
    part = Live(f"{ID}.pixels", [pad, at, label, Field("temperature", temperature, float), Field("top_p", top_p, float)], run, [view])
    draw = Live(f"{ID}.draw", [label], _drawn, [pad.component], kept=False)
    drawn = own.click(answering(draw), draw.inputs, draw.outputs, api_visibility="private", **MODEL_EVENT)
    moved = [view.click, label.component.input, temperature.release, top_p.release, *changed, drawn.success]
    react(moved, part)
    return part


def _below() -> Live:
    gr.Markdown(
        "### What lies below: raster order draws the upper half before it meets the lower one. "
        "Particles, weighed by how likely they find it, heed it"
    )
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("below", ["draw", "erase"], 61)
            label, seed = label_control(), widgets.seed_field()
            go = gr.Button("Four other answers", size="sm", variant="primary")
        with gr.Column(scale=8, min_width=300):
            result = widgets.player("autoregressive-below")

    def run(pad: Any, label: Any, seed: Any) -> list[Any]:
        return heed(pad, label, seed, part.link([pad, label, seed]))

    part = Live(f"{ID}.below", [pad, label, seed], run, [result])
    react([other_seed(go, seed.component), label.component.input, seed.component.submit, *changed], part)
    return part
