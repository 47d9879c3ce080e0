"""A panel as its tab declares it: what a person sets, the function that answers, and what shows the answer, column by column. Laid out
and wired here, and nowhere else."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from torch import Tensor

from dgm_models import catalog
from dgm_models.contracts import Settings, check_seed
from dgm_models.data import FIRST, SETS
from dgm_models.ui import widgets
from dgm_models.ui.card import LATEX, figures, idea, limits
from dgm_models.ui.film import Film
from dgm_models.ui.inputs import digit_pad, label_control, label_of, seed_row
from dgm_models.ui.serve import MODEL_EVENT, answering, number, one_of, react, refusing, stopping, whole, yes_or_no
from dgm_models.ui.widgets import Field, Live

DRAW = ("draw", "erase")
PICTURE, PLACE, REST, KNOBS, DATA = range(5)
QUICK = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass
class Laid:
    """A control on the page: its fields, the name and the value that the answering function is given of theirs, and the events after which
    the value is another. `rank`: where its fields stand among those of others: pictures, places in them, the rest, and at the end those
    to which more may be added. `forgets`: the name of a place that its events take along. `asks`: its events do nothing but ask."""

    name: str
    fields: list[Field]
    read: Callable[..., Any]
    events: Sequence[Callable[..., Any]] = ()
    rank: int = REST
    forgets: str = ""
    asks: bool = False


Control = Callable[[list[Laid]], Laid | list[Laid]]  # lays itself out, given what stands before it


@dataclass(frozen=True, eq=False)
class Shown:
    """What shows a part of the answer. Where a person clicks in it, `place` says under which name and how the place travels; or `sets` says
    which control has another value then, and which value, and the answer follows."""

    build: Callable[[], gr.components.Component]
    is_player: bool = False
    place: tuple[str, Callable[[str], Any], Callable[[Any], str]] | None = None
    sets: tuple[str, Callable[[Any], Any]] | None = None


@dataclass(frozen=True)
class Card:
    """Words of assets/lessons, with formulas, where there is no model whose figures they stand beside."""

    lesson: str


Item = Control | Shown | Card | str


@dataclass(frozen=True)
class Column:
    """Of a panel: controls, what shows the answer, and words, from top to bottom."""

    scale: int
    items: tuple[Item, ...]
    width: int


def column(scale: int, *items: Item, width: int = 230) -> Column:
    return Column(scale, items, width)


def panel(
    address: str,
    columns: Sequence[Column],
    answer: Callable[..., Any],
    title: str,
    words: str = "",
    order: Sequence[Shown] | None = None,
    api_name: str | None = None,
    stored: bool = True,
) -> Live:
    """Lay a panel out as a view of its tab, under a title and a line of words, and wire it.

    `answer(**values by the names of controls)` returns a value for each that shows a part of it, in `order` or as they stand in the
    columns: a Film, what a component takes, or a function that makes it of the link; or it yields such lists as they grow."""
    with view(address, title, words):
        return wired(address, columns, answer, order, api_name, stored)


@contextmanager
def view(address: str, title: str, words: str = "") -> Iterator[None]:
    """One screen of a tab."""
    with gr.Tab(title, id=address):
        if words:
            gr.Markdown(words, elem_classes="dgm-lead")
        yield


def wired(
    address: str,
    columns: Sequence[Column],
    answer: Callable[..., Any],
    order: Sequence[Shown] | None = None,
    api_name: str | None = None,
    stored: bool = True,
) -> Live:
    """What `panel` does, within a view that holds more than the panel."""
    laid, made = _lay_out(columns)
    laid.sort(key=lambda each: each.rank)
    shown = list(order or made)
    fields = [field for each in laid for field in each.fields]

    def finished(values: Sequence[Any], parts: list[Any]) -> list[Any]:
        at = {each.place[0]: part for each, part in zip(shown, parts, strict=True) if each.place and isinstance(part, dict)}
        link = live.link([at.get(field.name, value) for field, value in zip(fields, values, strict=True)])
        return [_value(part, link) for part in parts]

    def asked(values: Sequence[Any]) -> dict[str, Any]:
        rest, found = list(values), {}
        for each in laid:
            mine, rest = rest[: len(each.fields)], rest[len(each.fields) :]
            if each.name:
                found[each.name] = each.read(*mine)
        return found

    def run(*values: Any) -> list[Any]:
        return finished(values, answer(**asked(values)))

    def grow(*values: Any) -> Iterator[list[Any]]:
        for parts in answer(**asked(values)):
            yield finished(values, parts)

    grows = inspect.isgeneratorfunction(answer)
    live = Live(address, fields, grow if grows else run, [made[each] for each in shown], stored=stored, grows=grows)
    react([event for each in laid if each.asks for event in each.events], live, api_name=api_name, always=True)
    react([event for each in laid if not (each.asks or each.forgets) for event in each.events], live)
    for each in laid:
        if each.forgets:
            react(each.events, _without(live, each.forgets))
    for each in shown:
        if each.sets:
            name, value_of = each.sets
            control = next(field.component for field in fields if field.name == name)
            react([made[each].click(refusing(value_of), made[each], control, **QUICK).success], live)
        if each.is_player:
            made[each].stop(stopping(live), None, None, queue=False, api_visibility="private", show_progress="hidden")
    return live


def _without(live: Live, place: str) -> Live:
    """The panel with a place that nobody has chosen yet."""
    at = next(i for i, field in enumerate(live.fields) if field.name == place)
    run = lambda *values: live.run(*values[:at], None, *values[at:])  # noqa: E731
    return Live(live.address, [*live.fields[:at], *live.fields[at + 1 :]], run, live.outputs, kept=False, grows=live.grows)


def _lay_out(columns: Sequence[Column]) -> tuple[list[Laid], dict[Shown, gr.components.Component]]:
    laid: list[Laid] = []
    made: dict[Shown, gr.components.Component] = {}
    draws = False
    with gr.Row(elem_classes="dgm-columns"):
        for each in columns:
            sets = any(callable(item) for item in each.items)
            plays = any(isinstance(item, Shown) and item.is_player for item in each.items)
            beside = any(isinstance(item, Card) for item in each.items)
            kinds = ["dgm-side"] * sets + ["dgm-result"] * (plays and not draws) + ["dgm-beside"] * beside
            with gr.Column(scale=each.scale, min_width=each.width, elem_classes=kinds):
                for item in each.items:
                    if isinstance(item, str):
                        gr.HTML(item) if item.startswith("<") else gr.Markdown(item, elem_classes="dgm-hint")
                    elif isinstance(item, Card):
                        lesson(item.lesson)
                    elif isinstance(item, Shown):
                        made[item] = item.build()
                        if item.place:
                            name, read, write = item.place
                            place = Field(name, made[item], read, write, costly=False)
                            laid.append(Laid(name, [place], lambda value: value, [made[item].click], PLACE))
                    else:
                        came = item(laid)
                        laid += came if isinstance(came, list) else [came]
            draws = draws or any("pad_" in field.name for one in laid for field in one.fields)
    return laid, made


def lesson(name: str) -> None:
    """The words of assets/lessons: the idea, and folded below it the rest."""
    gr.Markdown(idea(name), latex_delimiters=LATEX, elem_classes="dgm-card")
    with gr.Accordion("Limits, papers", open=False):
        gr.Markdown(limits(name), latex_delimiters=LATEX, elem_classes="dgm-card")


def folded(name: str, ids: Sequence[str], code: str = "") -> None:
    """Below a view that has no room for a card: the words of assets/lessons, the figures of some models, and code, folded."""
    title = "The idea, limits, figures, code" if code else "The idea, limits, figures"
    with gr.Accordion(title, open=False), gr.Row():
        with gr.Column(scale=3, min_width=300):
            lesson(name)
        with gr.Column(scale=2, min_width=300):
            for id in ids:
                name = f"<h3>{html.escape(catalog.recipe(id).title)}</h3>" if len(ids) > 1 else ""
                gr.HTML(name + figures(id), elem_classes="dgm-card")
            if code:
                gr.Code(code, language="python", interactive=False, show_label=False)


def _value(part: Any, link: str) -> Any:
    """What a component takes; a film, and a dict that has a place for it, carry the link that opens it."""
    if isinstance(part, Film):
        film = replace(part, link=link)
        return widgets.growing(film) if film.partial else film.value()
    if callable(part):
        return part(link)
    return {**part, "link": link} if isinstance(part, dict) and "link" in part else part


# what shows an answer -------------------------------------------------------------------------------------------------


def player(name: str, most: float = 0) -> Shown:
    """See `widgets.player`."""
    return Shown(lambda: widgets.player(name, most=most), is_player=True)


def chart(name: str) -> Shown:
    return Shown(lambda: gr.HTML(elem_id=f"chart-{name}"))


# what a person sets ---------------------------------------------------------------------------------------------------


def pad(name: str, index: int, called: str = "x", forgets: str = "") -> Control:
    """A picture to draw, (1, *shape), which begins as a held-out one. `forgets`: a place, clicked in what is shown, that a new picture
    takes along."""

    def build(_: list[Laid]) -> Laid:
        field, events = digit_pad(name, list(DRAW), index)
        return Laid(called, [field], lambda value: widgets.from_sketch(value)[0], events, PICTURE, forgets)

    return build


def fill(text: str, address: str, pad: str, label: str, draw: Callable[[int], Tensor]) -> Control:
    """A button that draws a picture of the chosen label on the pad."""

    def build(before: list[Laid]) -> Laid:
        button = gr.Button(text, size="sm")
        fields = {field.name: field for each in before for field in each.fields}
        draws = lambda value: [widgets.to_sketch(draw(label_of(value)))]  # noqa: E731
        live = Live(address, [fields[label]], draws, [fields[pad].component], kept=False)
        drawn = button.click(answering(live), live.inputs, live.outputs, api_visibility="private", **MODEL_EVENT)
        return Laid("", [], lambda: None, [drawn.success])

    return build


def label(needed: int | None = None) -> Control:
    """y, 0 to k - 1, or -1 where none is given; where one is needed, it begins with that, and none is refused."""

    def read(value: Any) -> int:
        if needed is not None and label_of(value) < 0:
            raise ValueError("Label y: expected a label here, got none")
        return label_of(value)

    def build(_: list[Laid]) -> Laid:
        field = label_control(needed)
        return Laid("y", [field], read, [field.component.input])

    return build


def seed(default: int = 7) -> Control:
    """A seed, and a button that draws another one unless it is locked."""

    def build(_: list[Laid]) -> Laid:
        field, _lock, drawn = seed_row(default)
        return Laid("seed", [field], check_seed, [field.component.submit, drawn])

    return build


def knobs(kind: type[Settings], only: Sequence[str] = ()) -> Control:
    """The sliders of a sampler, or some of them, as its checked settings."""

    def build(_: list[Laid]) -> Laid:
        fields = widgets.knobs(kind, only=only)
        read = lambda *values: widgets.settings_from(kind, fields, values)  # noqa: E731
        return Laid("settings", fields, read, widgets.moves(fields), KNOBS)

    return build


def choice(name: str, label: str, choices: Sequence[str], value: str, radio: bool = False) -> Control:
    """One of several words."""

    def build(_: list[Laid]) -> Laid:
        component = (gr.Radio if radio else gr.Dropdown)(list(choices), value=value, label=label)
        return Laid(name, [Field(name, component)], lambda text: one_of(text, label, tuple(choices)), [component.input])

    return build


def model_of(known: dict[str, str], name: str = "model") -> Control:
    """Which of some models, by what the page calls them; it travels as its id."""

    def build(_: list[Laid]) -> Laid:
        box = gr.Dropdown(list(known), value=next(iter(known)), label="Model")
        names = {id: each for each, id in known.items()}
        field = Field(name, box, lambda id: names[id], lambda each: known[each])
        return Laid(name, [field], lambda each: known[one_of(each, "Model", tuple(known))], [box.input])

    return build


def count(name: str, label: str, low: int, high: int, value: int, step: int = 1) -> Control:
    """A whole number, on a slider."""

    def build(_: list[Laid]) -> Laid:
        slider = gr.Slider(low, high, value=value, step=step, label=label)
        field = Field(name, slider, widgets.whole_from_text)
        return Laid(name, [field], lambda number: whole(number, label, low, high), [slider.release])

    return build


def amount(name: str, label: str, low: float, high: float, value: float, step: float = 0.1) -> Control:
    """A number, on a slider."""

    def build(_: list[Laid]) -> Laid:
        field = Field(name, gr.Slider(low, high, value=value, step=step, label=label), float)
        return Laid(name, [field], lambda given: number(given, label, low, high), widgets.moves([field]))

    return build


def switch(name: str, label: str, value: bool, called: str = "") -> Control:
    """Yes or no."""

    def build(_: list[Laid]) -> Laid:
        box = gr.Checkbox(value, label=label)
        return Laid(called or name, [Field(name, box, lambda text: text == "True")], lambda given: yes_or_no(given, label), [box.input])

    return build


def borrowed(field: Field, label: str, choices: Sequence[str]) -> Control:
    """A choice of another panel, which this one heeds as well."""
    return lambda _: Laid(field.name, [field], lambda value: one_of(value, label, choices), [field.component.input], DATA)


def class_of(name: str, label: str, value: int, data: Field) -> Control:
    """One of the classes of the data set that is chosen in `data`, by its number."""
    classes = [str(i) for i in range(SETS[FIRST].condition.count)]

    def build(_: list[Laid]) -> Laid:
        component = gr.Dropdown(widgets.named(FIRST), value=str(value), label=label)
        widgets.follow(data, component)
        return Laid(name, [Field(name, component)], lambda text: int(one_of(text, label, classes)), [component.input])

    return build


def onward(name: str, text: str, step: Callable[[Any], Any]) -> Control:
    """A button that moves another control on, from its value to `step` of it."""

    def build(before: list[Laid]) -> Laid:
        button = gr.Button(text, size="sm", variant="primary")
        moved = next(field.component for each in before for field in each.fields if field.name == name)
        return Laid("", [], lambda: None, [button.click(refusing(step), moved, moved, **QUICK).success])

    return build


def press(text: str) -> Control:
    """A button that asks for the answer."""
    return lambda _: Laid("", [], lambda: None, [gr.Button(text, size="sm", variant="primary").click], asks=True)


def knob_panel(name: str, address: str, kind: type[Settings], answer: Callable[..., Any], title: str, words: str = "") -> Live:
    """Knobs, a seed and a button that draws another one at the left, a film at the right."""
    columns = [column(3, knobs(kind), seed()), column(10, player(name), width=300)]
    return panel(address, columns, answer, title, words)
