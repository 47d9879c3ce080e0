"""Interpolation: two digits joined in pixels, where they fade, and in latent spaces, where one becomes the other."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from dgm_models.applications.interpolate import PATHS, Joined, join_latents, join_pixels
from dgm_models.contracts import Frame
from dgm_models.ui import widgets
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import one_of, react, some_of
from dgm_models.ui.tabs.shared import Models, digit_pad, model_choice
from dgm_models.ui.widgets import Field, Live

ID, TITLE = "interpolation", "Interpolation"
STEPS, STRIP = 17, 9
CHOICES = (*PATHS, "both")


def build() -> Live:
    choices = Models("encode")

    def run(first: Any, second: Any, path: Any, titles: Any) -> list[Any]:
        ids = choices.ids(some_of(titles, "Models", choices.titles))
        paths = list(PATHS) if one_of(path, "Path", CHOICES) == "both" else [path]
        a, b = widgets.from_sketch(first)[0], widgets.from_sketch(second)[0]
        rows = [_row(join_pixels(a, b, STEPS), "a cross-fade", "data")]
        for id in ids:
            for each in paths:
                joined = join_latents(id, a, b, STEPS, each)
                rows.append(_row(joined, f"{each} of the codes; {joined.receipt.cost}"))
        film = Film(
            rows,
            receipt="no label is given · " + choices.provenance(ids),
            link=panel.link([first, second, path, titles]),
            tall=430,
        )
        return [film.value("interpolation")]

    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            with gr.Tabs():
                with gr.Tab("From"):
                    first, changed = digit_pad("a", ["draw", "erase"], 33)
                with gr.Tab("To"):
                    second, changed_too = digit_pad("b", ["draw", "erase"], 9)
            path = gr.Radio(list(CHOICES), value="both", label="Path between the codes")
            with gr.Accordion("Models", open=False):
                models = model_choice(choices)
            go = gr.Button("Join", variant="primary", size="sm")
        with gr.Column(scale=7, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(ID)
    panel = Live(ID, [first, second, Field("path", path), choices.field(models)], run, [result])
    react([go.click], panel, api_name=ID)
    react([*changed, *changed_too, path.input, models.input], panel)
    return panel


def _row(joined: Joined, caption: str, kind: str = "model") -> Row:
    strip = joined.path[:: (STEPS - 1) // (STRIP - 1)]
    frames = [Frame(torch.cat([joined.path[i : i + 1], strip]), f"{i / (STEPS - 1):.0%} of the way") for i in range(STEPS)]
    return Row(frames, STRIP + 1, joined.title, caption, ("film", *(f"{i}/{STRIP - 1}" for i in range(STRIP))), kind)
