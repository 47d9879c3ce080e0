"""What the tabs of the applications share: which models to ask, how to show what they answered, the events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.restore import restore
from dgm_models.contracts import Frame, Settings
from dgm_models.data import FIRST, SETS
from dgm_models.measurements import Linear
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.film import Film, Row, look, still
from dgm_models.ui.serve import one_of, refusing, some_of
from dgm_models.ui.widgets import Field

ANSWERS = 4
HEADS = (*(f"answer {i + 1}" for i in range(ANSWERS)), "mean", "2 × std")
READER, REGRESSOR = SETS[FIRST].judge, "regressor-mnist"


def _contrasting(by_title: dict[str, str], count: int = 4) -> list[str]:
    """The titles that a comparison starts with: of models that differ most, and where some of those are missing, of the next ones."""
    first = [title for title, id in by_title.items() if catalog.recipe(id).leads]
    others = [title for title, id in by_title.items() if title not in first and catalog.recipe(id).role == "model"]
    chosen = [*first, *others][:count]
    return [title for title in by_title if title in chosen]


class Models:
    """The trained models that answer a question, by their titles; of each of the data sets, the first of which has all titles."""

    def __init__(self, question: str, undoes: type | None = None, sets: Sequence[str] = (FIRST,)) -> None:
        self.of_set = {data: {catalog.recipe(id).title: id for id in catalog.models_for(question, undoes, data)} for data in sets}
        self.by_title = self.of_set[sets[0]]
        self.titles = list(self.by_title)
        self.leading = _contrasting(self.by_title)
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


def answer_rows(ids: list[str], seen: Tensor, away: Linear, seed: int, y: int) -> Iterator[list[Row]]:
    """A row a model, filled in one after another; empty rows stand for those that are still to answer."""
    rows = []
    for id in ids:
        nothing, title = torch.zeros(ANSWERS + 2, *catalog.dataset(id).space.shape), catalog.recipe(id).title
        rows.append(Row(still(nothing), ANSWERS + 2, title, "to come", HEADS, view=look(catalog.dataset(id))))
    for i, id in enumerate(ids):
        rows[i] = replace(rows[i], caption=f"at work, {i + 1} of {len(ids)}")
        yield rows
        rows[i] = answer_row(id, seen, away, seed, y, rows[i].title)
    yield rows


def answer_row(id: str, seen: Tensor, away: Linear, seed: int, y: int, title: str, settings: Settings | None = None) -> Row:
    """ANSWERS draws of p(x | seen), their mean and their spread, how each reads and what it cost."""
    done = restore(id, seen, away, seed, ANSWERS, y, settings)
    names = [catalog.dataset(id).condition.names[reading] for reading in done.readings]
    readings = (" " if max(map(len, names)) == 1 else ", ").join(names)
    frames = [_with_summary(frame) for frame in done.frames]
    return Row(frames, ANSWERS + 2, title, f"read as {readings}; {done.receipt.cost}", HEADS, view=look(catalog.dataset(id)))


def _with_summary(frame: Frame) -> Frame:
    """The answers, then their mean and their spread (twice the standard deviation, so that it can be seen); guesses likewise."""

    def summed(answers: Tensor) -> Tensor:
        mean, spread = answers.mean(0, keepdim=True), 2 * answers.std(0, keepdim=True, correction=0)
        return torch.cat([answers, mean, spread.clamp(0, 1)])

    return Frame(summed(frame.x), frame.note, None if frame.guess is None else summed(frame.guess))


def grown(film: Film, answers: Iterator[list[Row]]) -> Iterator[list[Any]]:
    """The film with the answers below its rows, as far as they are there, and at last the whole."""
    for rows in answers:
        film_so_far = replace(film, rows=[*film.rows, *rows])
        yield [replace(film_so_far, partial=True)]
    yield [film_so_far]


def chosen_models(choices: Models) -> p.Control:
    """Which of the models to ask, folded away: at first those that contrast. As their titles, which `ids` takes."""

    def build(_: list[p.Laid]) -> p.Laid:
        with gr.Accordion(f"Models: {len(choices.leading)} of {len(choices.titles)}", open=False):
            boxes = gr.CheckboxGroup(choices.titles, value=choices.leading, label="Ask", show_select_all=True)
            gr.Markdown(f"Cannot do this: {', '.join(choices.unable)}", visible=bool(choices.unable), elem_classes="dgm-hint")
        return p.Laid("models", [choices.field(boxes)], lambda titles: some_of(titles, "Models", choices.titles), [boxes.input])

    return build


def restoring(choices: Models, verb: str, data: Field | None = None) -> p.Control:
    """The button that restores, the seed, and folded away models and label. `data`: the choice of a data set, whose models and labels are
    offered."""

    def build(before: list[p.Laid]) -> list[p.Laid]:
        press, seed, models = (part(before) for part in (p.press(verb), p.seed(), chosen_models(choices)))
        with gr.Accordion("Label", open=False):
            label = p.label()(before)
        if data is not None:
            boxes = models.fields[0].component
            data.component.change(refusing(choices.offered), [data.component, boxes], boxes, **p.QUICK)
            widgets.follow(data, label.fields[0].component, "not given")
        return [models, label, seed, press]

    return build
