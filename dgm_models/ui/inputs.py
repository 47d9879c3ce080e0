"""What several panels ask a person for: a picture on a pad, a label, another seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models.contracts import SEED_LIMIT
from dgm_models.data import FIRST, SETS
from dgm_models.modalities import photo
from dgm_models.ui import widgets
from dgm_models.ui.serve import one_of, refusal, refusing, whole
from dgm_models.ui.widgets import Field

ANY_DIGIT = "any"


def held_out(index: int, data: str = FIRST) -> tuple[Tensor, int]:
    """One of the held-out elements that ship, (1, *shape), and its label."""
    x, y = SETS[data].shown()
    return SETS[data].space.read(x[index : index + 1]), int(y[index])


def fresh_seed(locked: Any) -> int:
    """A seed that is short enough to write on a blackboard."""
    refuse_if_locked(locked)
    return random.SystemRandom().randrange(min(10_000, SEED_LIMIT))


def refuse_if_locked(locked: Any) -> None:
    if locked:
        raise refusal("The seed is locked: take the lock off, or write another one.")


def seed_row(default: int = 7) -> tuple[Field, gr.Checkbox, Callable[..., Any]]:
    """A seed, a button that draws another one, and a lock that keeps it from that; and the event after another is drawn."""
    with gr.Row(elem_classes="dgm-seed"):
        seed = widgets.seed_field(default)
        button = gr.Button("Another", size="sm", variant="primary", elem_classes="dgm-another")
        lock = gr.Checkbox(False, label="lock", min_width=50, container=False)
    return seed, lock, button.click(fresh_seed, lock, seed.component, api_visibility="private", show_progress="hidden").success


def digit_pad(name: str, modes: list[str], index: int, seen: Tensor | None = None, data: Field | None = None) -> tuple[Field, list[Any]]:
    """A pad that starts with a test digit, with a way to another one, of any or of a chosen label, and to a person's picture.

    Returns its field and the events after which it holds something new. `data`: the data set whose elements it shows.
    """
    pad = widgets.sketch(name, modes, value=widgets.to_sketch(held_out(index)[0], seen))
    with gr.Row(elem_classes="dgm-buttons"):
        which = gr.Dropdown(
            widgets.named(FIRST, ANY_DIGIT), value=ANY_DIGIT, label="Which test digit", show_label=False, container=False, min_width=80
        )
        another = gr.Button("Another digit", size="sm")
        upload = gr.UploadButton("Your picture", size="sm", file_types=list(photo.ENDINGS), type="filepath")
    chosen = [] if data is None else [data.component]
    quick = {"api_visibility": "private", "show_progress": "hidden"}
    picked = gr.on([another.click, which.input, *(each.input for each in chosen)], _another, [pad, which, *chosen], pad, **quick)
    read = upload.upload(_uploaded, [upload, pad], pad, **quick)
    if data is not None:
        widgets.follow(data, which, ANY_DIGIT)
        written = json.dumps([id for id in widgets.DRAWN if SETS[id].is_ink])
        data.component.change(None, data.component, None, js=f"(data) => dgm.ink('sketch-{name}', {written}.includes(data))", **quick)
        data.component.change(refusing(_pad_words), data.component, [another, upload], api_visibility="private", show_progress="hidden")
    begins = lambda query: widgets.to_sketch(held_out(index, one_of(query.get("data", FIRST), "Data set", widgets.DRAWN))[0], seen)  # noqa: E731
    otherwise = None if data is None else begins
    drawing = Field(f"pad_{name}", pad, widgets.sketch_from_text, widgets.sketch_to_text, costly=False, otherwise=otherwise)
    return drawing, [pad.input, picked.success, read.success]


def _pad_words(data: Any) -> list[Any]:
    """What the buttons of a pad say of a data set."""
    chosen = SETS[one_of(data, "Data set", widgets.DRAWN)]
    return [gr.Button(f"Another {chosen.noun}"), gr.UploadButton(visible=chosen.is_ink)]


def _another(pad: Any, which: Any, data: Any = FIRST) -> dict[str, str]:
    seen, of = widgets.from_sketch(pad)[1], SETS[one_of(data, "Data set", widgets.DRAWN)]
    _, labels = of.shown()
    fits = torch.ones_like(labels, dtype=torch.bool)
    if which != ANY_DIGIT:
        fits = labels == int(one_of(which, "Which test digit", [str(i) for i in range(of.condition.count)]))
    return widgets.to_sketch(held_out(random.SystemRandom().choice(fits.nonzero().flatten().tolist()), data)[0], seen)


def _uploaded(path: str, pad: Any) -> dict[str, Any]:
    """A person's file as a digit on the pad. Nothing of it stays here: the file is deleted once it is read."""
    try:
        return widgets.to_sketch(photo.read_digit(path), widgets.from_sketch(pad)[1], uploaded=True)
    except ValueError as error:
        raise refusal(error) from error
    finally:
        Path(path).unlink(missing_ok=True)


def label_control(needed: int | None = None) -> Field:
    """A label, or none; where one is needed, it begins with that."""
    if needed is not None:
        return Field("label", gr.Dropdown(widgets.named(FIRST), value=str(needed), label="Label y"))
    control = gr.Dropdown(widgets.named(FIRST, "not given"), value="not given", label="Label y")
    return Field("label", control)


def label_of(value: Any) -> int:
    """The label control -> 0 to k - 1, or -1 for none."""
    if value == "not given":
        return -1
    classes = SETS[FIRST].condition.count
    return whole(int(value) if value in [str(i) for i in range(classes)] else value, "Label y", 0, classes - 1)
