"""Diffusion: its samples, and samplers side by side from one noise."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from dgm_models import catalog
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Noise, check_seed
from dgm_models.samplers import SAMPLERS
from dgm_models.ui import widgets
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import one_of, react
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL, STUDENT = "diffusion", "Diffusion", "diffusion-mnist", "diffusion-fast-mnist"
STEPS = (1, 2, 4, 8, 16, 32)
HEADS = tuple(f"{steps} step{'s' if steps > 1 else ''}" for steps in STEPS)


def compare(label: Any, seed: Any, guidance_scale: Any, data: Any, link: str) -> list[Any]:
    """One noise, every sampler, more and more steps; the student beside them."""
    row, noise, sets = int(one_of(label, "Label", tuple("0123456789"))), check_seed(seed), catalog.across(MODEL)
    main = sets[one_of(data, "Data set", tuple(sets))]
    y, rows = torch.tensor([row]), []
    choices = [(main, name, STEPS, {"sampler": name, "guidance_scale": guidance_scale}) for name in SAMPLERS]
    student = catalog.across(STUDENT).get(data)
    if student:
        choices.append((student, "the student", STEPS[:3], {}))
    for id, name, numbers, knobs in choices:
        loaded = catalog.open_model(id)
        model = loaded.model
        with measured(loaded, name, noise, 1) as receipt:
            pictures = [model.sample(Noise([noise]), y, model.Settings(steps=steps, **knobs)) for steps in numbers]
        hint = "guidance learned; taught in 4, then 2 steps; " if id == student else ""
        rows.append(Row(still(torch.cat(pictures)), len(STEPS), name, f"{hint}{receipt.cost} in all", HEADS[: len(pictures)]))
    film = Film(rows, receipt=f"seed {noise} · {Models.provenance(list(filter(None, (main, student))))}", link=link, tall=420)
    return [film.value(f"diffusion-samplers-{noise}")]


def build() -> Live:
    panel = family_panel(ID, MODEL, "diffusion")
    gr.Markdown("### Samplers side by side: one noise, more and more steps. On this straight path DDIM and Euler are the same step")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=1, min_width=180):
            label = gr.Dropdown(widgets.named("mnist"), value="5", label="Label")
            seed = gr.Number(11, label="Seed", step=1, minimum=0, maximum=2**32 - 1)
            guidance = gr.Slider(0, 6, value=1.8, step=0.1, label="Guidance scale")
            go = gr.Button("Compare", variant="primary", size="sm")
        with gr.Column(scale=5, min_width=300):
            result = widgets.player("diffusion-samplers")

    def run(*state: Any) -> list[Any]:
        return compare(*state, part.link(state))

    data = panel.fields[-1]
    guided = Field("guidance_scale", guidance, float)
    fields = [Field("of", label), Field("seed", seed, widgets.whole_from_text), guided, data]
    part = Live(f"{ID}.samplers", fields, run, [result])
    react([go.click, data.component.input, label.input, guidance.release, seed.submit], part)
    widgets.follow(data, label)
    panel.parts["samplers"] = part
    return panel
