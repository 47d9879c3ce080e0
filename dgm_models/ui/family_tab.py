"""What every family's tab has: knobs at the left, the film in the middle, the card at the right."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dgm_models import catalog
from dgm_models.applications.generate import MOST, generate
from dgm_models.contracts import check_seed
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.card import figures, snippet
from dgm_models.ui.film import Film, Row, look
from dgm_models.ui.inputs import seed_row
from dgm_models.ui.serve import one_of, react, refusing, stopping, whole
from dgm_models.ui.widgets import ALL, ANY, Field, Live


def family_panel(tab: str, id: str, lesson: str, address: str | None = None, title: str = "Samples", words: str = "") -> Live:
    """Lay out the main view of a family and wire it; returns its state and handler for links and for the first paint.

    `address` is what a link calls the panel, where that is not the tab itself. Where the same model was trained on several data sets,
    the panel begins with the choice of one.
    """
    settings_type, ids = catalog.family(id).Settings, catalog.across(id)

    def run(*state: Any) -> list[Any]:
        *state_of_model, data = state if len(ids) > 1 else (*state, next(iter(ids)))
        choice, count, seed, *values = state_of_model
        settings, model = widgets.settings_from(settings_type, knob_fields, values), ids[one_of(data, "Data set", tuple(ids))]
        count, seed = whole(count, "How many", 1, MOST), check_seed(seed)
        made = generate(model, widgets.labels_for(choice, count, catalog.dataset(model).condition.count), seed, settings)
        row = Row(made.frames, columns_for(count), view=look(catalog.dataset(model)))
        film = Film([row], f"{tab}-{seed}", str(made.receipt), panel.link(state))
        return [film.value(), snippet(model, _labels_code(choice, count, catalog.dataset(model).condition.count), count, seed, settings)]

    with p.view(address or tab, title, words), gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=196, elem_classes="dgm-side"):
            sets = [widgets.data_choice(list(ids))] if len(ids) > 1 else []
            choice = gr.Dropdown(widgets.named(catalog.recipe(id).data, ALL, ANY), value=ALL, label="Digit")
            knob_fields = widgets.knobs(settings_type)
            seed, lock, another = seed_row()
            with gr.Accordion("More knobs", open=False):
                count = gr.Slider(1, MOST, value=16, step=1, label="How many")
                knob_fields += widgets.knobs(settings_type, advanced=True)
        with gr.Column(scale=14, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(tab)
        with gr.Column(scale=4, min_width=236, elem_classes="dgm-beside"):
            p.lesson(lesson)
            with gr.Accordion("Figures", open=False):
                scores = gr.HTML(figures(id), elem_classes="dgm-card")
            with gr.Accordion("Code", open=False):
                code = gr.Code(language="python", interactive=False, show_label=False)

    # the choice of a data set last: it came later
    fields = [Field("digit", choice), Field("n", count, widgets.whole_from_text), seed, *knob_fields, *sets]
    panel = Live(address or tab, fields, run, [result, code])
    react([seed.component.submit], panel, api_name=tab)
    react([*widgets.moves([each for each in fields if each is not seed]), another], panel)
    result.stop(stopping(panel), None, None, queue=False, api_visibility="private", show_progress="hidden")
    for each in sets:  # by hand or by a link
        each.component.change(refusing(lambda data: _in_words(data, ids)), each.component, [choice, scores], **p.QUICK)
    return panel


def _in_words(data: Any, ids: dict[str, str]) -> list[Any]:
    """The classes of a data set by their names, and the figures of its model."""
    id = ids[one_of(data, "Data set", tuple(ids))]
    return [gr.Dropdown(choices=widgets.named(data, ALL, ANY), label=catalog.dataset(id).noun.capitalize()), figures(id)]


def columns_for(count: int) -> int:
    """Tiles a line: near a square."""
    return max(1, round(count**0.5 + 0.2))


def _labels_code(choice: str, count: int, classes: int) -> str:
    if choice == ALL:
        return f"torch.arange({count}) % {classes}"
    if choice == ANY:
        return "None"
    return f"torch.full(({count},), {choice})"
