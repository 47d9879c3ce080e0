"""Interpolation: two digits joined in pixels, where they fade, and in latent spaces, where one becomes the other."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models.applications.interpolate import PATHS, Joined, join_latents, join_pixels
from dgm_models.contracts import Frame
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row
from dgm_models.ui.tabs.shared import Models, chosen_models
from dgm_models.ui.widgets import Live

ID, TITLE = "interpolation", "Interpolation"
STEPS, STRIP = 13, 7
CHOICES = (*PATHS, "both")


def build() -> Live:
    choices = Models("encode")

    def joined(first: Tensor, second: Tensor, path: str, models: list[str]) -> list[Any]:
        ids, rows = choices.ids(models), [_row(join_pixels(first, second, STEPS), "a cross-fade", "data")]
        for id in ids:
            for each in PATHS if path == "both" else [path]:
                way = join_latents(id, first, second, STEPS, each)
                rows.append(_row(way, f"{each} of the codes; {way.receipt.cost}"))
        return [Film(rows, "interpolation", "no label is given · " + choices.provenance(ids))]

    return p.panel(
        ID,
        [
            p.column(
                2,
                _ends,
                p.choice("path", "Path between the codes", CHOICES, "slerp", radio=True),
                chosen_models(choices),
                p.press("Join"),
            ),
            p.column(7, p.player(ID), width=300),
        ],
        joined,
        TITLE,
        api_name=ID,
    )


def _ends(before: list[p.Laid]) -> list[p.Laid]:
    with gr.Tabs():
        with gr.Tab("From"):
            first = p.pad("a", 19, called="first")(before)
        with gr.Tab("To"):
            second = p.pad("b", 12, called="second")(before)
    return [first, second]


def _row(joined: Joined, caption: str, kind: str = "model") -> Row:
    strip = joined.path[:: (STEPS - 1) // (STRIP - 1)]
    frames = [Frame(torch.cat([strip, joined.path[i : i + 1]]), f"{i / (STEPS - 1):.0%} of the way") for i in range(STEPS)]
    return Row(frames, STRIP + 1, joined.title, caption, (*(f"{i}/{STRIP - 1}" for i in range(STRIP)), "on the way"), kind)
