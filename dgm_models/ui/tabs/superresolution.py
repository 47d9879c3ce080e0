"""Super-resolution: shrink a digit; every family answers with sharp samples, beside the two answers that are blurred."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import torch

from dgm_models import catalog
from dgm_models.applications.restore import bicubic
from dgm_models.contracts import check_seed
from dgm_models.measurements import Shrink
from dgm_models.ui import widgets
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import one_of, some_of
from dgm_models.ui.tabs.shared import (
    ANSWERS,
    READER,
    REGRESSOR,
    Models,
    answer_rows,
    digit_pad,
    grown,
    label_of,
    restore_controls,
    wire,
)
from dgm_models.ui.widgets import Field, Live

ID, TITLE = "super-resolution", "Super-resolution"
FACTORS = {"2×": 2, "4×": 4, "7×": 7}


def build() -> Live:
    choices = Models("restore", Shrink)

    def grow(pad: Any, times: Any, titles: Any, label: Any, seed: Any) -> Iterator[list[Any]]:
        ids, y, seed = choices.ids(some_of(titles, "Models", choices.titles)), label_of(label), check_seed(seed)
        picture, _ = widgets.from_sketch(pad)
        away = Shrink(FACTORS[one_of(times, "Shrink by", tuple(FACTORS))])
        seen = away(picture)
        blurred = [away.pinv(seen), bicubic(seen, away.factor), catalog.load(REGRESSOR).restore(seen, away), picture]
        heads_of_blurred = ("seen", "bicubic", "least error", "original")
        film = Film(
            [Row(still(torch.cat(blurred)), ANSWERS + 2, "not samples", "one answer each", heads_of_blurred, "data")],
            receipt=f"seeds {seed} to {seed + ANSWERS - 1} · " + choices.provenance([*ids, READER, REGRESSOR]),
            link=panel.link([pad, times, titles, label, seed]),
            tall=430,
        )
        yield from grown(film, answer_rows(ids, seen, away, seed, y), f"super-resolution-{seed}")

    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad(ID, ["draw", "erase"], 7)
            times = gr.Radio(list(FACTORS), value="4×", label="Shrink by")
            models, label, seed, go, again = restore_controls(choices, "Enlarge")
        with gr.Column(scale=7, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(ID)
    panel = Live(ID, [pad, Field("factor", times), choices.field(models), label, seed], grow, [result], grows=True)
    wire(panel, go, again, *changed, times.input, models.input, label.component.input, seed.component.submit)
    return panel
