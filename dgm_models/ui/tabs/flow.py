"""The normalizing flow: its samples, and a digit on its way to Gaussian noise and back."""

from __future__ import annotations

import math
from typing import Any

import gradio as gr
import torch

from dgm_models import catalog
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Frame, Noise, check_seed
from dgm_models.probability import bits_per_dimension
from dgm_models.ui import widgets
from dgm_models.ui.charts import bars
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import react
from dgm_models.ui.tabs.shared import Models, digit_pad, label_control, label_of
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "flow", "Flow", "flow-mnist"


def travel(pad: Any, label: Any, seed: Any, link: str) -> list[Any]:
    """There and back: the digit after each layer, what it costs in bits, and what each layer adds to log p."""
    (x, _), y, seed = widgets.from_sketch(pad), torch.tensor([label_of(label)]), check_seed(seed)
    loaded = catalog.open_model(MODEL)
    model = loaded.model
    with measured(loaded, MODEL, seed, 1) as receipt:
        there = list(model.journey(x, y, Noise([seed])))
        back = list(model.way_back(there[-1][2], y))[1:]
        cost = -model.layer_log_prob(x, y) / math.log(2)
    cost = (cost / cost.max().clamp_min(1e-6)).sqrt()
    out = [Frame(x, "your digit"), *(step[0] for step in there)]
    frames = [Frame(torch.cat([frame.x, cost]), frame.note) for frame in out]
    frames += [Frame(torch.cat([frame.x, cost]), f"back: {frame.note}") for frame in back]
    gained = {layer: float(log_det + noise) for _, layer, _, log_det, noise in there}
    log_det, log_noise = (sum(float(step[i]) for step in there) for i in (3, 4))
    off = int((model.space.to_levels(back[-1].x, model.levels) != model.space.to_levels(x, model.levels)).sum())
    came = "it came back exactly" if not off else f"{off} pixels came back otherwise: the model finds them all but impossible"
    nats = log_det + log_noise - 784 * math.log(model.levels)
    film = Film(
        [Row(frames, 2, heads=("on its way", "what pixels cost"))],
        receipt=f"log p = log N(z) {log_noise:,.0f} + log |det| {log_det:,.0f} - 784 log 256 {784 * math.log(256):,.0f} = {nats:,.0f} nats "
        f"· {came} · seed {seed} · {receipt.cost} · {Models.provenance([MODEL])}",
        link=link,
        tall=260,
    )
    cost_of = [(len(part) * math.log(model.levels) - gained[layer]) / math.log(2) for layer, part in enumerate(model.parts)]
    said = f"{sum(cost_of):.0f} bits in all, {float(bits_per_dimension(nats, 784)):.2f} a pixel"
    chart = bars(cost_of, [str(len(part)) for part in model.parts], "bits a layer, over how many pixels it makes", said)
    return [chart, film.value(f"flow-{seed}")]


def build() -> Live:
    panel = family_panel(ID, MODEL, "flow")
    gr.Markdown("### There and back: your digit, layer by layer, to Gaussian noise, and back by the inverse of each layer")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("travelling", ["draw", "erase"], 61)
            label, seed = label_control(), widgets.seed_field()
        with gr.Column(scale=5, min_width=300):
            result = widgets.player("flow-journey")
        with gr.Column(scale=5, min_width=280):
            chart = gr.HTML(elem_id="chart-flow")
            gr.Markdown(
                "Noise is shown by its own distribution function, 0 black and 1 white. The seed chooses the place of each pixel "
                "within its level; log p does not depend on it.",
                elem_classes="dgm-hint",
            )

    def run(pad: Any, label: Any, seed: Any) -> list[Any]:
        return travel(pad, label, seed, part.link([pad, label, seed]))

    part = Live(f"{ID}.journey", [pad, label, seed], run, [chart, result])
    react([label.component.input, seed.component.submit, *changed], part)
    panel.parts["journey"] = part
    return panel
