"""Generative gradient flows: five methods move the same particles to the same data, on one clock."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from dgm_models.applications.particles import FlowSettings, picture, race
from dgm_models.contracts import Frame, check_seed
from dgm_models.probability import energy_distance
from dgm_models.ui import widgets
from dgm_models.ui.card import LATEX
from dgm_models.ui.charts import decay
from dgm_models.ui.film import MOST_FRAMES, Film, Row, resample
from dgm_models.ui.serve import live
from dgm_models.ui.tabs.shared import other_seed, react
from dgm_models.ui.widgets import ASSETS, Live

ID, TITLE = "gradient-flow", "Gradient flows"


def together(seed: Any, settings: FlowSettings, link: str) -> list[Any]:
    """All methods as tiles of one film, and the same divergence of each from the data as it falls."""
    data, runs = race(check_seed(seed), settings)
    shown = resample(list(range(settings.steps + 1)), min(MOST_FRAMES, settings.steps + 1))
    frames = [Frame(torch.cat([picture(run.path[step], data) for run in runs]), f"step {step} of {settings.steps}") for step in shown]
    took = " · ".join(f"{run.name} {run.milliseconds:.0f} ms" for run in runs)
    row = Row(frames, len(runs), heads=tuple(run.name for run in runs))
    film = Film([row], receipt=f"{took} · nothing is trained beforehand · seed {seed}", link=link, tall=260)
    fall = {run.name: [energy_distance(run.path[step], data) for step in shown] for run in runs}
    return [*widgets.shown(film, f"{ID}-{seed}"), decay(fall, f"step, to {settings.steps}", "energy distance to the data")]


def build() -> Live:
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=210, elem_classes="dgm-side"):
            knobs = widgets.knobs(FlowSettings)
            seed = widgets.seed_field()
            go = gr.Button("Other particles", size="sm", variant="primary")
        with gr.Column(scale=10, min_width=300, elem_classes="dgm-result"):
            result = widgets.result(ID)
            chart = gr.HTML(elem_id="chart-gradient-flow")
        with gr.Column(scale=4, min_width=250):
            gr.Markdown((ASSETS / "lessons" / "gradient_flow.md").read_text(), latex_delimiters=LATEX, elem_classes="dgm-card")

    def run(seed: Any, *values: Any) -> list[Any]:
        return together(seed, widgets.settings_from(FlowSettings, knobs, values), panel.link(ID, [seed, *values]))

    panel = Live([seed, *knobs], run, [*result.outputs, chart])
    moved = [other_seed(go, seed.component), seed.component.submit, *widgets.moves(knobs)]
    react(moved, live(run), panel.inputs, panel.outputs)
    return panel
