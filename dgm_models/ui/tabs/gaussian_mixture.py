"""The Gaussian mixture: its samples, and what it is made of."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from dgm_models import catalog
from dgm_models.contracts import Frame
from dgm_models.ui import widgets
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import one_of, react, whole
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL = "mixture", "Gaussian mixture", "gmm-mnist"


def anatomy(label: Any, number: Any, data: Any, link: str) -> list[Any]:
    """All means of a label's mixture, and one component with each of its factors turned from -2 to 2."""
    row, ids = int(one_of(label, "Label", tuple("0123456789"))), catalog.across(MODEL)
    id = ids[one_of(data, "Data set", tuple(ids))]
    model, name = catalog.load(id), catalog.dataset(id).condition.names[row]
    components, rank = model.factors.shape[1], model.factors.shape[-1]
    k = whole(number, "Component", 1, components) - 1
    means = model.means[row].view(-1, *model.space.shape)
    share = model.log_weights[row].softmax(0)[k]
    order = model.factors[row, k].square().sum(0).argsort(descending=True)
    factors = model.factors[row, k].T[order].view(rank, *model.space.shape)
    turns = torch.cat([torch.linspace(0, -2, 7), torch.linspace(-1.67, 2, 12)])
    swing = [Frame((means[k] + z * factors).clamp(0, 1), f"each factor at z = {z:+.1f}") for z in turns.tolist()]
    film = Film(
        [
            Row(still(means.clamp(0, 1)), 10, f"{components} means", f"of the mixture of {name}"),
            Row(swing, rank, f"component {k + 1}", f"weight {share:.1%}; its factors", tuple(f"factor {i + 1}" for i in range(rank))),
        ],
        receipt=f"parameters as they are, nothing is drawn · {Models.provenance([id])}",
        link=link,
        tall=300,
    )
    return [film.value("mixture-anatomy")]


def build() -> Live:
    panel = family_panel(ID, MODEL, "gaussian_mixture")
    gr.Markdown("### What it is made of: the means of one label, and one component's factors turned from −2 to 2")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=1, min_width=180):
            label = gr.Dropdown(widgets.named("mnist"), value="3", label="Label")
            component = gr.Slider(1, 20, value=1, step=1, label="Component")
        with gr.Column(scale=5, min_width=300):
            result = widgets.player("mixture-anatomy")

    def run(*state: Any) -> list[Any]:
        return anatomy(*state, part.link(state))

    data = panel.fields[-1]
    part = Live(f"{ID}.anatomy", [Field("of", label), Field("component", component, widgets.whole_from_text), data], run, [result])
    react([data.component.input, label.input, component.release], part)
    widgets.follow(data, label)
    panel.parts["anatomy"] = part
    return panel
