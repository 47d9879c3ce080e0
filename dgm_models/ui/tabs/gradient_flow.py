"""Generative gradient flows: five methods move the same particles to the same data, on one clock."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from dgm_models.applications.particles import STARTS, TARGETS, FlowSettings, picture, race
from dgm_models.contracts import Frame
from dgm_models.ui import widgets
from dgm_models.ui.card import LATEX
from dgm_models.ui.charts import decay
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import live
from dgm_models.ui.tabs.shared import other_seed, react
from dgm_models.ui.widgets import ASSETS, Field, Live

ID, TITLE = "gradient-flow", "Gradient flows"


def together(target: Any, start: Any, seed: Any, settings: FlowSettings, link: str) -> list[Any]:
    """All methods as tiles of one film, and the same divergence of each from the data as it falls."""
    data, runs = race(target, start, seed, settings)
    frames = []
    for step in range(settings.steps + 1):
        tiles = torch.cat([picture(run.path[step], data) for run in runs])
        frames.append(Frame(tiles, f"step {step} of {settings.steps}"))
    took = " · ".join(f"{run.name} {run.milliseconds:.0f} ms" for run in runs)
    row = Row(frames, len(runs), heads=tuple(run.name for run in runs))
    film = Film([row], receipt=f"{took} · nothing is trained beforehand · seed {seed}", link=link, tall=260)
    return [decay({run.name: run.distances for run in runs}, "step", "energy distance to the data"), *widgets.shown(film, f"{ID}-{seed}")]


def build() -> Live:
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=210, elem_classes="dgm-side"):
            target = gr.Dropdown(list(TARGETS), value="two moons", label="Data")
            start = gr.Dropdown(list(STARTS), value="in a corner", label="Start")
            knobs = widgets.knobs(FlowSettings)
            seed = widgets.seed_field()
            go = gr.Button("Other particles", size="sm", variant="primary")
        with gr.Column(scale=10, min_width=300, elem_classes="dgm-result"):
            result = widgets.result(ID)
            chart = gr.HTML(elem_id="chart-gradient-flow")
        with gr.Column(scale=4, min_width=250):
            gr.Markdown((ASSETS / "lessons" / "gradient_flow.md").read_text(), latex_delimiters=LATEX, elem_classes="dgm-card")

    def run(target: Any, start: Any, seed: Any, *values: Any) -> list[Any]:
        settings = widgets.settings_from(FlowSettings, knobs, values)
        film = together(target, start, seed, settings, panel.link(ID, [target, start, seed, *values]))
        return [*film[1:], film[0]]

    panel = Live([Field("data", target), Field("start", start), seed, *knobs], run, [*result.outputs, chart])
    moved = [target.input, start.input, seed.component.submit, *(each.component.release for each in knobs)]
    react([other_seed(go, seed.component), *moved], live(run), panel.inputs, panel.outputs)
    return panel
