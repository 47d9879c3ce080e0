"""Inpainting: hide part of a picture; every family answers with samples of p(whole | seen)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.restore import PRESETS, hole
from dgm_models.data import SETS
from dgm_models.measurements import Hide
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.film import Film, Row, look, still
from dgm_models.ui.inputs import digit_pad
from dgm_models.ui.serve import one_of, refusing
from dgm_models.ui.tabs.shared import ANSWERS, Models, answer_rows, grown, restoring
from dgm_models.ui.widgets import Live

ID, TITLE, PAINTED = "inpainting", "Inpainting", "painted by you"


def build() -> Live:
    choices = Models("restore", Hide, tuple(catalog.data_sets("restore", widgets.CANVAS)))

    def restored(drawing: tuple[Tensor, Tensor], models: list[str], y: int, seed: int, data: str) -> Iterator[list[Any]]:
        (picture, mask), ids, noun = drawing, choices.ids(models, data), SETS[data].noun
        view = look(SETS[data])
        if mask.all():
            raise ValueError("Nothing is hidden yet: paint a hole with Hide, or choose one")
        away = Hide(mask)
        seen = away(picture)
        shown = torch.cat([torch.where(mask, picture, torch.tensor(0.4)), picture])
        digit = Row(still(shown), ANSWERS + 2, f"the {noun}", "the models see all but the hole", ("seen", "whole"), "data", ~mask, view)
        receipt = f"seeds {seed} to {seed + ANSWERS - 1} · " + choices.provenance([*ids, SETS[data].judge])
        yield from grown(Film([digit], f"inpainting-{seed}", receipt), answer_rows(ids, seen, away, seed, y))

    return p.panel(
        ID,
        [p.column(2, lambda _: _asked(choices)), p.column(7, p.player(ID), width=300)],
        restored,
        TITLE,
        api_name=ID,
    )


def _asked(choices: Models) -> list[p.Laid]:
    """Which data set, a picture of it with a hole, painted or by name, and how it is to be restored."""
    sets = tuple(choices.of_set)
    data = widgets.data_choice(sets)
    pad, changed = digit_pad(ID, ["hide", "reveal", "draw", "erase"], 19, hole("centre"), data)
    preset = gr.Dropdown([*PRESETS, PAINTED], value="centre", label="Hole")
    pad.component.change(_name_of_hole, pad.component, preset, **p.QUICK)
    cut = preset.input(refusing(_with_hole), [pad.component, preset], pad.component, **p.QUICK)
    drawing = p.Laid("drawing", [pad], widgets.from_sketch, [*changed, cut.success], p.PICTURE)
    chosen = p.Laid("data", [data], lambda value: one_of(value, "Data set", sets), rank=p.DATA)
    return [drawing, *restoring(choices, "Restore", data)([]), chosen]


def _with_hole(pad: Any, preset: Any) -> dict[str, str]:
    picture, mask = widgets.from_sketch(pad)
    return widgets.to_sketch(picture, None if preset == PAINTED else hole(one_of(preset, "Hole", PRESETS)))


def _name_of_hole(pad: Any) -> str:
    mask = widgets.from_sketch(pad)[1]
    return next((name for name in PRESETS if torch.equal(hole(name), mask)), PAINTED)
