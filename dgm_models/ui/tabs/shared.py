"""What the tabs of the applications share: which models to ask, how to show what they answered, the events."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.restore import restore
from dgm_models.contracts import Frame, Settings
from dgm_models.data import SETS
from dgm_models.measurements import Linear
from dgm_models.modalities import photo
from dgm_models.ui import widgets
from dgm_models.ui.family_tab import fresh_seed
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import one_of, react, refusal, refusing, whole
from dgm_models.ui.widgets import Field, Live

ANSWERS = 4
HEADS = (*(f"answer {i + 1}" for i in range(ANSWERS)), "mean", "2 × std")
ANY_DIGIT = "any"
READER, REGRESSOR = "reader-mnist", "regressor-mnist"


class Models:
    """The trained models that answer a question, by their titles; of each of the data sets, the first of which has all titles."""

    def __init__(self, question: str, undoes: type | None = None, sets: Sequence[str] = ("mnist",)) -> None:
        self.of_set = {data: {catalog.recipe(id).title: id for id in catalog.models_for(question, undoes, data)} for data in sets}
        self.by_title = self.of_set[sets[0]]
        self.titles = list(self.by_title)
        self.leading = [title for title, id in self.by_title.items() if catalog.recipe(id).role == "model"]
        self.unable = [catalog.recipe(id).title for id in catalog.models_for("sample") if id not in self.by_title.values()]

    def ids(self, titles: list[str], data: str | None = None) -> list[str]:
        """Of a data set, the first unless it is named; ValueError where it has none of them."""
        chosen = self.by_title if data is None else self.of_set[data]
        found = [chosen[title] for title in titles if title in chosen]
        if not found:
            raise ValueError(f"Models: expected at least one of {', '.join(chosen)}, which learned from {SETS[data].title}")
        return found

    def offered(self, data: Any, chosen: Any) -> gr.CheckboxGroup:
        """The choice of models for a data set: those stay chosen that it has, as a link may have named them; else all are."""
        titles = list(self.of_set[one_of(data, "Data set", tuple(self.of_set))])
        return gr.CheckboxGroup(choices=titles, value=[title for title in titles if title in (chosen or [])] or titles)

    def field(self, component: gr.CheckboxGroup) -> Field:
        """Models travel in an address by their ids, those of the first data set."""
        title_of = {id: title for title, id in self.by_title.items()}
        return Field(
            "models",
            component,
            lambda text: [title_of[id] for id in text.split(",")],
            lambda titles: ",".join(self.by_title[title] for title in titles),
        )

    @staticmethod
    def provenance(ids: list[str]) -> str:
        """The models that a picture came from, for a receipt: parameters, where the weights are from, their hash."""
        opened = {id: catalog.open_model(id) for id in ids}
        return " · ".join(f"{id} {m.parameters / 1e6:.2f} M {m.source.kind} {m.source.sha256[:7]}" for id, m in opened.items())


def model_choice(models: Models, chosen: list[str] | None = None) -> gr.CheckboxGroup:
    """Those chosen at first: all, unless it says which."""
    return gr.CheckboxGroup(models.titles, value=chosen or models.titles, label="Models")


def held_out(index: int, data: str = "mnist") -> tuple[Tensor, int]:
    """One of the held-out elements that ship, (1, *shape), and its label."""
    x, y = SETS[data].shown()
    return SETS[data].space.read(x[index : index + 1]), int(y[index])


def answer_rows(ids: list[str], seen: Tensor, away: Linear, seed: int, y: int) -> Iterator[list[Row]]:
    """A row a model, filled in one after another; empty rows stand for those that are still to answer."""
    rows = [
        Row(still(torch.zeros(ANSWERS + 2, *catalog.dataset(id).space.shape)), ANSWERS + 2, catalog.recipe(id).title, "to come", HEADS)
        for id in ids
    ]
    yield rows
    for i, id in enumerate(ids):
        rows[i] = answer_row(id, seen, away, seed, y, rows[i].title)
        yield rows


def answer_row(id: str, seen: Tensor, away: Linear, seed: int, y: int, title: str, settings: Settings | None = None) -> Row:
    """ANSWERS draws of p(x | seen), their mean and their spread, how each reads and what it cost."""
    done = restore(id, seen, away, seed, ANSWERS, y, settings)
    names = [catalog.dataset(id).condition.names[reading] for reading in done.readings]
    readings = (" " if max(map(len, names)) == 1 else ", ").join(names)
    frames = [_with_summary(frame) for frame in done.frames]
    return Row(frames, ANSWERS + 2, title, f"read as {readings}; {done.receipt.cost}", HEADS)


def _with_summary(frame: Frame) -> Frame:
    """The answers, then their mean and their spread (twice the standard deviation, so that it can be seen); guesses likewise."""

    def summed(answers: Tensor) -> Tensor:
        mean, spread = answers.mean(0, keepdim=True), 2 * answers.std(0, keepdim=True, correction=0)
        return torch.cat([answers, mean, spread.clamp(0, 1)])

    return Frame(summed(frame.x), frame.note, None if frame.guess is None else summed(frame.guess))


def grown(film: Film, answers: Iterator[list[Row]], name: str) -> Iterator[list[Any]]:
    """Values for the outputs of a player: the film with the answers below its rows, as far as they are there, and at last the whole."""
    for rows in answers:
        film_so_far = replace(film, rows=[*film.rows, *rows])
        yield [widgets.growing(film_so_far)]
    yield [film_so_far.value(name)]


def restore_controls(choices: Models, verb: str, data: Field | None = None) -> tuple[gr.CheckboxGroup, Field, Field, gr.Button, gr.Button]:
    """Models, label, seed; the button that restores and the one that asks for other answers. `data`: the data set that is chosen."""
    with gr.Accordion("Models, label, seed", open=False):
        models, label, seed = model_choice(choices), label_control(), widgets.seed_field()
        gr.Markdown(f"Cannot do this: {', '.join(choices.unable)}", visible=bool(choices.unable), elem_classes="dgm-hint")
    if data is not None:
        inputs = [data.component, models]
        data.component.change(refusing(choices.offered), inputs, models, api_visibility="private", show_progress="hidden")
        widgets.follow(data, label.component, "not given")
    with gr.Row(elem_classes="dgm-buttons"):
        go = gr.Button(verb, variant="primary", size="sm")
        again = gr.Button("Four other answers", size="sm")
    return models, label, seed, go, again


def wire(panel: Live, go: gr.Button, again: gr.Button, *more: Any) -> None:
    """The events that every application shares: its button, a new seed, and whatever changes the result at once."""
    seed = next(each.component for each in panel.fields if each.name == "seed")
    react([go.click], panel, api_name=panel.address)
    react([other_seed(again, seed), *more], panel)


def other_seed(button: gr.Button, seed: gr.Number) -> Callable[..., Any]:
    """The button draws another seed; returns the event after it."""
    return button.click(lambda: fresh_seed(False), None, seed, api_visibility="private", show_progress="hidden").success


def knob_panel(name: str, address: str, kind: type[Settings], button: str, make: Callable[[Any, Settings, str], Any]) -> Live:
    """Knobs, a seed and a button that draws another one at the left, a result at the right. `make(seed, settings, link)` gives the values
    of its outputs, or yields them as they grow."""

    def run(seed: Any, *values: Any) -> Any:
        return make(seed, widgets.settings_from(kind, knobs, values), part.link([seed, *values]))

    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            knobs = widgets.knobs(kind)
            seed = widgets.seed_field()
            go = gr.Button(button, size="sm", variant="primary")
        with gr.Column(scale=10, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(name)
    part = Live(address, [seed, *knobs], run, [result], grows=inspect.isgeneratorfunction(make))
    moved = [other_seed(go, seed.component), seed.component.submit, *widgets.moves(knobs)]
    react(moved, part)
    return part


def digit_pad(name: str, modes: list[str], index: int, seen: Tensor | None = None, data: Field | None = None) -> tuple[Field, list[Any]]:
    """A pad that starts with a test digit, with a way to another one, of any or of a chosen label, and to a person's picture.

    Returns its field and the events after which it holds something new. `data`: the data set whose elements it shows.
    """
    pad = widgets.sketch(name, modes, value=widgets.to_sketch(held_out(index)[0], seen))
    with gr.Row(elem_classes="dgm-buttons"):
        which = gr.Dropdown(
            widgets.named("mnist", ANY_DIGIT), value=ANY_DIGIT, label="Which test digit", show_label=False, container=False, min_width=110
        )
        another = gr.Button("Another test digit", size="sm")
        upload = gr.UploadButton("Your picture", size="sm", file_types=list(photo.ENDINGS), type="filepath")
    chosen = [] if data is None else [data.component]
    picked = gr.on(
        [another.click, which.input, *(each.input for each in chosen)], _another, [pad, which, *chosen], pad, api_visibility="private"
    )
    read = upload.upload(_uploaded, [upload, pad], pad, api_visibility="private")
    if data is not None:
        widgets.follow(data, which, ANY_DIGIT)
        data.component.change(refusing(_pad_words), data.component, [another, upload], api_visibility="private", show_progress="hidden")
    begins = lambda query: widgets.to_sketch(held_out(index, one_of(query.get("data", "mnist"), "Data set", tuple(SETS)))[0], seen)  # noqa: E731
    otherwise = None if data is None else begins
    drawing = Field(f"pad_{name}", pad, widgets.sketch_from_text, widgets.sketch_to_text, costly=False, otherwise=otherwise)
    return drawing, [pad.input, picked.success, read.success]


def _pad_words(data: Any) -> list[Any]:
    """What the buttons of a pad say of a data set; only digits are read off people's own pictures."""
    noun = SETS[one_of(data, "Data set", tuple(SETS))].noun
    return [gr.Button(f"Another test {noun}"), gr.UploadButton(visible=noun == "digit")]


def _another(pad: Any, which: Any, data: Any = "mnist") -> dict[str, str]:
    seen, labels = widgets.from_sketch(pad)[1], SETS[one_of(data, "Data set", tuple(SETS))].shown()[1]
    chosen = (
        torch.arange(len(labels))
        if which == ANY_DIGIT
        else (labels == int(one_of(which, "Which test digit", tuple("0123456789")))).nonzero()
    )
    return widgets.to_sketch(held_out(int(chosen.flatten()[random.SystemRandom().randrange(len(chosen))]), data)[0], seen)


def _uploaded(path: str, pad: Any) -> dict[str, Any]:
    """A person's file as a digit on the pad. Nothing of it stays here: the file is deleted once it is read."""
    try:
        return widgets.to_sketch(photo.read_digit(path), widgets.from_sketch(pad)[1], uploaded=True)
    except ValueError as error:
        raise refusal(error) from error
    finally:
        Path(path).unlink(missing_ok=True)


def label_control() -> Field:
    control = gr.Dropdown(widgets.named("mnist", "not given"), value="not given", label="Label y", info="what the models are told")
    return Field("label", control)


def label_of(value: Any) -> int:
    """The label control -> 0..9, or -1 for none."""
    if value == "not given":
        return -1
    return whole(int(value) if value in tuple("0123456789") else value, "Label y", 0, 9)
