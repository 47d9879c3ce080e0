"""Digits on demand: one text, several families, the same seeds."""

from __future__ import annotations

from typing import Any

import gradio as gr
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import generate, read_digits
from dgm_models.applications.restore import read
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row
from dgm_models.ui.tabs.shared import READER, Models, chosen_models
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MOST = "digits", "On demand", 16


def build() -> Live:
    choices = Models("sample")

    def drawn(labels: Tensor, models: list[str], seed: int) -> list[Any]:
        ids, asked = choices.ids(models), labels >= 0
        rows, heads = [], tuple("any" if label < 0 else str(label) for label in labels.tolist())
        for id in ids:
            made = generate(id, labels, seed)
            seen_as = read(made.x).argmax(1)
            score = f"read as {''.join(str(int(digit)) for digit in seen_as)}"
            if asked.any():
                score += f" ({int((seen_as == labels)[asked].sum())} of {int(asked.sum())})"
            rows.append(Row(made.frames, len(labels), catalog.recipe(id).title, f"{score}; {made.receipt.cost}", heads))
        receipt = f"seeds {seed} to {seed + len(labels) - 1}: the same for every model · " + choices.provenance([*ids, READER])
        return [Film(rows, f"digits-{seed}", receipt)]

    return p.panel(
        ID,
        [
            p.column(
                2,
                _digits,
                chosen_models(choices),
                p.seed(),
                p.press("Draw"),
                "p(x | y), drawn by each family from the same seeds. The reader, a classifier, says what it sees.",
                width=210,
            ),
            p.column(7, p.player(ID), width=300),
        ],
        drawn,
        TITLE,
        api_name=ID,
    )


def _digits(_: list[p.Laid]) -> p.Laid:
    text = gr.Textbox("20-6-9", label="Digits", info="0 to 9; - for any digit", max_length=64)
    return p.Laid("labels", [Field("text", text)], lambda text: read_digits(text, MOST), [text.submit])
