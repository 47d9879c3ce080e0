"""What every family's tab has: knobs at the left, the film in the middle, the card at the right."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dgm_models import catalog
from dgm_models.applications.generate import MOST, generate, seeds_from
from dgm_models.contracts import check_seed
from dgm_models.ui import widgets
from dgm_models.ui.card import LATEX, card, snippet
from dgm_models.ui.film import Film, Row
from dgm_models.ui.inputs import fresh_seed, refuse_if_locked
from dgm_models.ui.serve import one_of, react, refusal, refusing, whole
from dgm_models.ui.widgets import ALL, ANY, Field, Live


def family_panel(tab: str, id: str, lesson: str, address: str | None = None) -> Live:
    """Lay out the main panel of a family and wire it; returns its state and handler for links and for the first paint.

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
        film = Film([Row(made.frames, columns_for(count))], f"{tab}-{seed}", str(made.receipt), panel.link(state), tall=410)
        return [film.value(), snippet(model, _labels_code(choice, count, catalog.dataset(model).condition.count), count, seed, settings)]

    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=210, elem_classes="dgm-side"):
            sets = [widgets.data_choice(list(ids))] if len(ids) > 1 else []
            choice = gr.Dropdown(widgets.named(catalog.recipe(id).data, ALL, ANY), value=ALL, label="Digit")
            count = gr.Slider(1, MOST, value=16, step=1, label="How many")
            knob_fields = widgets.knobs(settings_type)
            with gr.Row(elem_classes="dgm-seed"):
                seed = widgets.seed_field()
                lock = gr.Checkbox(False, label="Lock seed", min_width=60, container=False)
            with gr.Row(elem_classes="dgm-buttons"):
                next_noise = gr.Button("New noise", size="sm", variant="primary")
                new_seed = gr.Button("New seed", size="sm")
                same_seed = gr.Button("Same seed", size="sm")
            knob_fields += widgets.knobs(settings_type, advanced=True)
        with gr.Column(scale=10, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(tab)
        with gr.Column(scale=4, min_width=250):
            words = gr.Markdown(card(id, lesson), latex_delimiters=LATEX, elem_classes="dgm-card")
            with gr.Accordion("The code", open=False):
                code = gr.Code(language="python", interactive=False, show_label=False)

    fields = [
        Field("digit", choice),
        Field("n", count, widgets.whole_from_text),
        seed,
        *knob_fields,
        *sets,
    ]  # the choice last: it came later
    panel = Live(address or tab, fields, run, [result, code])
    react([same_seed.click], panel, api_name=tab)
    quick = {"api_visibility": "private", "show_progress": "hidden"}
    onward = next_noise.click(following, [seed.component, count, lock], seed.component, **quick)
    other = new_seed.click(fresh_seed, lock, seed.component, **quick)
    moved = [each for each in fields if each is not seed]
    react([seed.component.submit, *widgets.moves(moved), onward.success, other.success], panel)
    for each in sets:  # by hand or by a link
        each.component.change(
            refusing(lambda data: _in_words(data, ids, lesson)),
            each.component,
            [choice, words],
            api_visibility="private",
            show_progress="hidden",
        )
    return panel


def _in_words(data: Any, ids: dict[str, str], lesson: str) -> list[Any]:
    """The classes of a data set by their names, and the card of its model."""
    id = ids[one_of(data, "Data set", tuple(ids))]
    return [gr.Dropdown(choices=widgets.named(data, ALL, ANY), label=catalog.dataset(id).noun.capitalize()), card(id, lesson)]


def following(seed: Any, count: Any, locked: Any) -> int:
    """The seed after the last picture that is shown: new noise, still in order."""
    refuse_if_locked(locked)
    try:
        return seeds_from(check_seed(seed), whole(count, "How many", 1, MOST) + 1)[-1]
    except ValueError as error:
        raise refusal(error) from error


def columns_for(count: int) -> int:
    """Tiles a line: near a square."""
    return max(1, round(count**0.5 + 0.2))


def _labels_code(choice: str, count: int, classes: int) -> str:
    if choice == ALL:
        return f"torch.arange({count}) % {classes}"
    if choice == ANY:
        return "None"
    return f"torch.full(({count},), {choice})"
