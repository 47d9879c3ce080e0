"""Digits on demand: one text, several families, the same seeds."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dgm_models import catalog
from dgm_models.applications.generate import generate, read_digits
from dgm_models.applications.restore import read
from dgm_models.contracts import check_seed
from dgm_models.ui import widgets
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import some_of
from dgm_models.ui.tabs.shared import READER, Models, model_choice, wire
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MOST = "digits", "Digits on demand", 16


def build() -> Live:
    choices = Models("sample")

    def run(text: Any, titles: Any, seed: Any) -> list[Any]:
        ids, seed = choices.ids(some_of(titles, "Models", choices.titles)), check_seed(seed)
        labels = read_digits(text, MOST)
        rows, heads = [], tuple("any" if label < 0 else str(label) for label in labels.tolist())
        for id in ids:
            made = generate(id, labels, seed)
            asked = labels >= 0
            seen_as = read(made.x).argmax(1)
            score = f"read as {''.join(str(int(digit)) for digit in seen_as)}"
            if asked.any():
                score += f" ({int((seen_as == labels)[asked].sum())} of {int(asked.sum())})"
            rows.append(Row(made.frames, len(labels), catalog.recipe(id).title, f"{score}; {made.receipt.cost}", heads))
        receipt = f"seeds {seed} to {seed + len(labels) - 1}: the same for every model · " + choices.provenance([*ids, READER])
        film = Film(rows, receipt=receipt, link=panel.link([text, titles, seed]), tall=400)
        return [film.value(f"digits-{seed}")]

    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=210, elem_classes="dgm-side"):
            text = gr.Textbox("20-6-9", label="Digits", info="0 to 9; - for any digit", max_length=64)
            models = model_choice(choices, choices.leading)
            seed = widgets.seed_field()
            with gr.Row(elem_classes="dgm-buttons"):
                go = gr.Button("Draw", variant="primary", size="sm")
                again = gr.Button("New seed", size="sm")
            gr.Markdown(
                "p(x | y), drawn by each family from the same seeds. The reader, a classifier, says what it sees.",
                elem_classes="dgm-hint",
            )
        with gr.Column(scale=7, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(ID)
    panel = Live(ID, [Field("text", text), choices.field(models), seed], run, [result])
    wire(panel, go, again, text.submit, models.input, seed.component.submit)
    return panel
