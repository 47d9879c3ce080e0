"""Inpainting: hide part of a picture; every family answers with samples of p(whole | seen)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import torch

from dgm_models.applications.restore import PRESETS, hole
from dgm_models.contracts import check_seed
from dgm_models.data import SETS
from dgm_models.measurements import Hide
from dgm_models.ui import widgets
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import one_of, some_of
from dgm_models.ui.tabs.shared import ANSWERS, Models, answer_rows, digit_pad, grown, label_of, restore_controls, wire
from dgm_models.ui.widgets import Live

ID, TITLE, PAINTED = "inpainting", "Inpainting", "painted"


def build() -> Live:
    choices = Models("restore", Hide, tuple(SETS))

    def grow(*state: Any) -> Iterator[list[Any]]:
        pad, titles, label, seed, data = state
        ids = choices.ids(some_of(titles, "Models", choices.titles), one_of(data, "Data set", tuple(SETS)))
        y, seed, noun = label_of(label), check_seed(seed), SETS[data].noun
        picture, mask = widgets.from_sketch(pad)
        if mask.all():
            raise ValueError("Nothing is hidden: paint a hole with Hide, or choose one of the presets")
        away = Hide(mask)
        seen = away(picture)
        shown = torch.cat([torch.where(mask, picture, torch.tensor(0.4)), picture])
        digit = Row(still(shown), ANSWERS + 2, f"the {noun}", "the models see all but the hole", ("seen", "whole"), "data", ~mask)
        film = Film(
            [digit],
            receipt=f"seeds {seed} to {seed + ANSWERS - 1} · " + choices.provenance([*ids, SETS[data].judge]),
            link=panel.link(state),
            tall=430,
        )
        yield from grown(film, answer_rows(ids, seen, away, seed, y), f"inpainting-{seed}")

    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            data = widgets.data_choice(tuple(SETS))
            pad, changed = digit_pad(ID, ["hide", "reveal", "draw", "erase"], 19, hole("centre"), data)
            preset = gr.Dropdown([*PRESETS, PAINTED], value="centre", label="Hole")
            models, label, seed, go, again = restore_controls(choices, "Restore", data)
        with gr.Column(scale=7, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(ID)
    panel = Live(ID, [pad, choices.field(models), label, seed, data], grow, [result], grows=True)
    pad.component.change(_name_of_hole, pad.component, preset, api_visibility="private", show_progress="hidden")
    cut = preset.input(_with_hole, [pad.component, preset], pad.component, api_visibility="private")
    wire(panel, go, again, *changed, cut.success, models.input, label.component.input, seed.component.submit)
    return panel


def _with_hole(pad: Any, preset: Any) -> dict[str, str]:
    picture, mask = widgets.from_sketch(pad)
    return widgets.to_sketch(picture, mask if preset == PAINTED else hole(one_of(preset, "Hole", PRESETS)))


def _name_of_hole(pad: Any) -> str:
    mask = widgets.from_sketch(pad)[1]
    return next((name for name in PRESETS if torch.equal(hole(name), mask)), PAINTED)
