"""The pieces that tabs are made of: the player, the sketch pad, the plane, knobs, the seed."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from dgm_models.contracts import Knob, Settings, check_seed
from dgm_models.data import FIRST, SETS
from dgm_models.modalities import image
from dgm_models.ui.film import Film
from dgm_models.ui.serve import one_of, refusing

ASSETS = Path(__file__).resolve().parents[2] / "assets"
CANVAS = SETS[FIRST].space  # of the pads that people draw on
DRAWN = tuple(data for data, each in SETS.items() if each.space == CANVAS)  # the data sets whose elements lie there
COMPONENTS = ("player", "sketch", "plane", "pixels", "spot", "writing", "attention", "photo", "brush", "album", "piece", "phrase", "stages")
GRID = 128  # cells a side of a hole that is painted over a photo
ANY = "any (no label)"
ALL = "all ten in turn"


def _asset(name: str) -> str:
    return (ASSETS / "ui" / name).read_text(encoding="utf-8")


def to_text(value: Any) -> str:
    """How a value travels in an address: 1.0 as 1, so that a number has one spelling."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class Field(NamedTuple):
    """One part of a tab's state: a component, and how its value travels in an address. `costly`: it changes how long work takes.

    `otherwise`: of an address that does not name it, its value; else what the component starts with.
    """

    name: str
    component: gr.components.Component
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = to_text
    costly: bool = True
    otherwise: Callable[[dict[str, str]], Any] | None = None


@dataclass
class Live:
    """What a tab hands to the app: its state, the handler that makes its result, and where that goes.

    `run(*values of the fields)` returns the values of `outputs`, or where it `grows` yields them. `parts` are further panels of the same
    tab, by name: the address of one is ?tab=TAB.PART. `stored`: its first result comes from assets/first, for it takes a model to make
    it. `kept`: what it makes depends on its state alone, so one result serves all who ask for it.
    """

    address: str
    fields: list[Field]
    run: Callable[..., Any]
    outputs: list[gr.components.Component]
    parts: dict[str, Live] = field(default_factory=dict)
    stored: bool = True
    kept: bool = True
    grows: bool = False

    @property
    def inputs(self) -> list[gr.components.Component]:
        return [each.component for each in self.fields]

    @property
    def names(self) -> list[str]:
        return [each.name.replace("-", "_") for each in self.fields]

    def make(self, values: Sequence[Any]) -> Iterator[list[Any]]:
        """The result in parts, the whole one last."""
        made = self.run(*values)
        yield from made if self.grows else [made]

    def whole(self, values: Sequence[Any]) -> list[Any]:
        """The result, made now."""
        return deque(self.make(values), maxlen=1)[0]

    def key(self, values: Sequence[Any]) -> str | None:
        """By which a result is known; None where it is nobody else's: of an uploaded picture, of a state that has no address."""
        if not self.kept or any(isinstance(value, dict) and value.get("uploaded") for value in values):
            return None
        try:
            return self.link(values)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return None  # nonsense, which the handler refuses

    def kind(self, values: Sequence[Any]) -> str:
        """What work costs depends on: the settings without seed and drawings."""
        return " ".join(str(value)[:80] for each, value in zip(self.fields, values, strict=False) if each.costly)

    def from_query(self, query: dict[str, str]) -> list[Any]:
        """The values of all fields: from the address where it names them, else their defaults. ValueError for nonsense."""
        values, faults = self.understood(query)
        if faults:
            raise ValueError(faults[0])
        return values

    def understood(self, query: dict[str, str]) -> tuple[list[Any], list[str]]:
        """The same, where what is nonsense is left out, and said."""
        values, faults = [], []
        for each in self.fields:
            default = each.component.value
            if each.name not in query:
                with contextlib.suppress(ValueError):  # of the nonsense that it depends on, that field says so
                    default = each.otherwise(query) if each.otherwise else default
                values.append(default)
                continue
            try:
                values.append(each.read(query[each.name]))
            except (ValueError, KeyError, TypeError, OverflowError, zlib.error, binascii.Error):
                values.append(default)
                faults.append(f"the address has {each.name}={query[each.name][:40]!r}, which is not a value of it")
        return values, faults

    def link(self, values: Sequence[Any]) -> str:
        """The query that opens this state again."""
        texts = {each.name: each.write(value) for each, value in zip(self.fields, values, strict=True)}
        return "?" + urlencode({"tab": self.address, **texts})


def player(name: str, picks: bool = False, most: float = 0) -> gr.HTML:
    """What plays a film and saves it, with a renderer a kind of view. It takes the room that the window leaves, or at `most` such a
    share of its height; `picks`: a click on a tile sets `at`."""
    return _html("player", name, {"SIDE": str(CANVAS.side), "PICKS": "yes" if picks else "no", "MOST": str(most)})


def spot(name: str) -> gr.HTML:
    """Spot the fake: {sheet, columns, fakes, reader, family, link}."""
    return _html("spot", name, {"SIDE": str(CANVAS.side)})


def writing(name: str) -> gr.HTML:
    """A text as it is written: {tokens, kinds, given, chances, nats, show, receipt, partial, name, link}; a click on another token, or on
    its buttons, sets `go`, the text to go on from."""
    return _html("writing", name)


def attention(name: str) -> gr.HTML:
    """What heads hear: {tokens, shares, blocks, heads, at, head, link}; shares are bytes (blocks, heads, tokens, tokens), base64."""
    return _html("attention", name)


def photo(name: str, value: dict[str, Any]) -> gr.HTML:
    """A picture in colour: {of, picture, uploaded}: which of those that ship, where it is or what `snapshot.pack` makes, whether it is
    somebody's own."""
    return _html("photo", name, value=value)


def brush(name: str, value: dict[str, Any]) -> gr.HTML:
    """The same with what a person hides of it: `hole` besides, base64 of GRID x GRID bits, which are stretched over the picture."""
    return _html("brush", name, {"GRID": str(GRID)}, value)


def album(name: str) -> gr.HTML:
    """Pictures side by side: {pictures: [{words, picture, file}], receipt}."""
    return _html("album", name)


def piece(name: str, elements: Sequence[str], most: int) -> gr.HTML:
    """A piece of a molecule that a person draws, of these elements and at most so many atoms: {atoms: [[element, x, y]], bonds: [[atom,
    atom, order]]}."""
    return _html("piece", name, {"ELEMENTS": " ".join(elements), "MOST": str(most)})


def phrase(name: str, label: str, follows: dict[str, list[str]], most: int, value: str) -> gr.HTML:
    """A text in known words, as it is typed: follows has each of them, and the words that may come after it, the likeliest first; after ""
    those that begin. Its value is the text, of at most so many letters."""
    said = {"WORDS": json.dumps(follows), "LABEL": label, "MOST": str(most)}
    return _html("phrase", name, said, value)


def stages(name: str) -> gr.HTML:
    """From a caption to pictures: {stages: [{name, words, button, at}], heard, said, words, z, near, captions, sheets, read, again,
    receipt, name, link}; a click on a button sets `go`, how often each stage has been drawn again."""
    return _html("stages", name)


def script() -> str:
    """What every page brings once: the shell, and the code of each component of our own, which mounts wherever one is."""
    views = "".join(path.read_text(encoding="utf-8") for path in sorted((ASSETS / "ui" / "views").glob("*.js")))
    mounts = [f"dgm.mount.{kind} = (element, props, trigger, watch) => {{\n{_asset(f'{kind}.js')}\n}};" for kind in COMPONENTS]
    return "\n".join([_asset("shell.js"), _asset("solid.js"), "const renderers = {};", views, *mounts])


def growing(film: Film) -> dict[str, Any]:
    """The value of a player while more is on its way: the last frame of what is there, and nothing to save."""
    return replace(film, rows=[replace(row, frames=row.frames[-1:]) for row in film.rows], name="", partial=True).value()


def knobs(settings: type[Settings], advanced: bool = False, only: Sequence[str] = ()) -> list[Field]:
    """A control for each knob of a sampler: the main ones, or those that are named; or folded away the less used ones and a word on each
    of all."""
    rows = settings.knobs()
    rows = {name: rows[name] for name in only or rows}
    if not advanced:
        return [Field(name, _control(default, knob), _reader(default)) for name, (default, knob) in rows.items() if not knob.advanced]
    with gr.Accordion("Advanced", open=False):
        fields = [Field(name, _control(default, knob), _reader(default)) for name, (default, knob) in rows.items() if knob.advanced]
        words = [f"**{knob.label}**: {knob.help}." for _, knob in rows.values() if knob.help]
        gr.Markdown("\n\n".join(words), elem_classes="dgm-hint")
    return fields


def _control(default: Any, knob: Knob) -> gr.components.Component:
    if knob.choices:
        return gr.Dropdown(list(knob.choices), value=default, label=knob.label)
    return gr.Slider(knob.low, knob.high, value=default, step=knob.step, label=knob.label)


def moves(fields: list[Field]) -> list[Callable[..., Any]]:
    """The events of controls that mean another value: a slider's when it is let go."""
    return [each.component.release if isinstance(each.component, gr.Slider) else each.component.input for each in fields]


def _reader(default: Any) -> Callable[[str], Any]:
    return whole_from_text if isinstance(default, int) else type(default)


def whole_from_text(text: str) -> int:
    """ "8" or "8.0" -> 8; ValueError for what is no whole number."""
    number = float(text)
    if number != int(number):
        raise ValueError(f"expected a whole number, got {text[:40]!r}")
    return int(number)


def settings_from(settings: type[Settings], fields: list[Field], values: tuple[Any, ...]) -> Settings:
    """The checked settings that the controls say."""
    return settings(**{each.name: value for each, value in zip(fields, values, strict=True)})


def named(data: str, *special: str) -> list[tuple[str, str]]:
    """The classes of a data set as choices: what the page says, and the number that travels."""
    return [*((word, word) for word in special), *((name, str(i)) for i, name in enumerate(SETS[data].condition.names))]


def data_choice(sets: Sequence[str]) -> Field:
    """Which of the data sets."""
    choice = gr.Radio([(SETS[data].title, data) for data in sets], value=sets[0], label="Data set", elem_classes="dgm-data")
    return Field("data", choice, lambda text: one_of(text, "Data set", sets))


def follow(data: Field, labels: gr.Dropdown, *special: str) -> None:
    """Let a choice of classes have the names of the data set that is chosen, by hand or by a link."""
    said = lambda chosen: gr.Dropdown(choices=named(one_of(chosen, "Data set", DRAWN), *special))  # noqa: E731
    data.component.change(refusing(said), data.component, labels, api_visibility="private", show_progress="hidden")


def seed_field(default: int = 7) -> Field:
    number = gr.Number(default, label="Seed", step=1, minimum=0, maximum=2**32 - 1, min_width=80, elem_classes="dgm-mini")
    return Field("seed", number, whole_from_text, lambda value: str(check_seed(value)), costly=False)


def labels_for(choice: Any, count: int, classes: int) -> Tensor:
    """The control of classes -> labels (count,), -1 for any."""
    if choice == ALL:
        return torch.arange(count) % classes
    if choice == ANY:
        return torch.full((count,), -1)
    if isinstance(choice, str) and choice in map(str, range(classes)):
        return torch.full((count,), int(choice))
    raise ValueError(f"Digit: expected 0 to {classes - 1}, '{ANY}' or '{ALL}', got {str(choice)[:40]!r}")


# the sketch pad -------------------------------------------------------------------------------------------------------


def sketch(name: str, modes: list[str], value: dict[str, Any] | None = None, centres: bool = True) -> gr.HTML:
    """A pad as large as CANVAS whose value is {"ink": ..., "seen": ...}, base64 of a byte a pixel; modes: of draw, erase, hide, reveal.
    `centres`: what is drawn moves into the middle once the pen rests, as the digits lie that models know."""
    said = {"MODES": ",".join(modes), "CENTRES": "yes" if centres else "no", "SIDE": str(CANVAS.side)}
    return _html("sketch", name, said, value)


def to_sketch(x: Tensor, seen: Tensor | None = None, uploaded: bool = False) -> dict[str, Any]:
    """A picture (1, *CANVAS.shape) and a mask like it without the first dimension, true where seen -> the pad's value. `uploaded`: it is
    somebody's own file."""
    mask = np.ones(CANVAS.size, np.uint8) if seen is None else seen.to(torch.uint8).numpy().ravel()
    pack = lambda array: base64.b64encode(array.tobytes()).decode()  # noqa: E731
    return {"ink": pack(image.levels(x).ravel()), "seen": pack(mask), **({"uploaded": True} if uploaded else {})}


def from_sketch(value: Any) -> tuple[Tensor, Tensor]:
    """The pad's value -> picture (1, *CANVAS.shape) in [0, 1] and mask, bool CANVAS.shape. ValueError for anything else."""
    try:
        ink, seen = (np.frombuffer(base64.b64decode(value[key], validate=True), np.uint8) for key in ("ink", "seen"))
        if not ink.shape == seen.shape == (CANVAS.size,):
            raise ValueError
    except (TypeError, KeyError, ValueError, binascii.Error):
        raise ValueError(f"Digit: expected a drawing of {CANVAS.side} x {CANVAS.side} pixels with its mask") from None
    return CANVAS.read(torch.from_numpy(ink.copy()).view(1, *CANVAS.shape)), torch.from_numpy(seen != 0).view(CANVAS.shape)


def sketch_to_text(value: Any) -> str:
    """The pad's value, packed for an address."""
    picture, seen = from_sketch(value)
    raw = image.levels(picture).tobytes() + np.packbits(seen.numpy()).tobytes()
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


def sketch_from_text(text: str) -> dict[str, str]:
    packed = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), 2 * CANVAS.size)
    ink, seen = np.frombuffer(packed[: CANVAS.size], np.uint8), np.frombuffer(packed[CANVAS.size :], np.uint8)
    if len(ink) != CANVAS.size or len(seen) != -(-CANVAS.size // 8):
        raise ValueError("not a drawing")
    mask = np.unpackbits(seen)[: CANVAS.size].astype(bool)
    return to_sketch(CANVAS.read(torch.from_numpy(ink.copy()).view(1, *CANVAS.shape)), torch.from_numpy(mask).view(CANVAS.shape))


def plane(name: str) -> gr.HTML:
    """The latent plane: {ground, reach, dots, colours, ellipse, here}; a click sets `here`."""
    return _html("plane", name)


def pixels(name: str) -> gr.HTML:
    """One pixel at a time: {ink, chances, bits, field, at, total}; a click sets `at`."""
    return _html("pixels", name, {"SIDE": str(CANVAS.side), "LAST": str(CANVAS.size - 1)})


def _html(kind: str, name: str, said: dict[str, str] | None = None, value: Any = None) -> gr.HTML:
    """A component of our own: assets/ui/KIND.html with words put in; KIND.js, which the page has (`script`), mounts there."""
    template = _asset(f"{kind}.html")
    for word, text in (said or {}).items():
        template = template.replace(word, text)
    mount = f"dgm.mount.{kind}(element, props, trigger, watch)"
    return gr.HTML(value=value, html_template=template, js_on_load=mount, elem_id=f"{kind}-{name}", apply_default_css=False)
