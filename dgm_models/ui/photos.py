"""A picture in colour that a panel asks for: one of those that ship, or a person's own, which is kept in the page and nowhere else."""

from __future__ import annotations

import html
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from torch import Tensor

from dgm_models.modalities import photo, snapshot
from dgm_models.ui import widgets
from dgm_models.ui.panel import PICTURE, QUICK, Control, Laid
from dgm_models.ui.serve import one_of, refusal, refusing
from dgm_models.ui.widgets import Field

OWN = "own"  # how a person's picture is called in an address, which does not hold it


def picture(name: str, names: Sequence[str], picture_of: Callable[[str], Tensor], first: str, noun: str = "picture") -> Control:
    """A picture (3, h, w) in [0, 1] of those that are named, a button to another one, and a person's own."""
    known = tuple(names)

    def shipped(which: str) -> dict[str, Any]:
        return {"of": which, "picture": snapshot.pack(picture_of(which))}

    def read(value: Any) -> Tensor:
        if isinstance(value, dict) and value.get("uploaded"):
            return snapshot.unpack(value.get("picture"))
        return picture_of(one_of(value.get("of") if isinstance(value, dict) else value, "Picture", known))

    def another(value: Any) -> dict[str, Any]:
        now = value.get("of") if isinstance(value, dict) else None
        return shipped(random.SystemRandom().choice([each for each in known if each != now]))

    def build(_: list[Laid]) -> Laid:
        pad = widgets.photo(name, shipped(first))
        with gr.Row(elem_classes="dgm-buttons"):
            button = gr.Button(f"Another {noun}", size="sm")
            upload = gr.UploadButton("Your photo", size="sm", file_types=list(photo.ENDINGS), type="filepath")
        picked = button.click(refusing(another), pad, pad, **QUICK)
        took = upload.upload(_uploaded, upload, pad, **QUICK)
        field = Field("picture", pad, lambda text: shipped(one_of(text, "Picture", known)), _text, costly=False)
        return Laid("photo", [field], read, [picked.success, took.success], PICTURE)

    return build


def _text(value: Any) -> str:
    return OWN if value.get("uploaded") else str(value["of"])


def _uploaded(path: str) -> dict[str, Any]:
    """A person's file, read and deleted."""
    try:
        return {"of": OWN, "picture": snapshot.pack(snapshot.read_photo(path)), "uploaded": True}
    except ValueError as error:
        raise refusal(error) from error
    finally:
        Path(path).unlink(missing_ok=True)


def album(pictures: Sequence[tuple[str, Tensor]], name: str, receipt: str) -> str:
    """Pictures (3, h, w) side by side under their words, each to be opened and saved."""
    figures = []
    for words, each in pictures:
        url, said = snapshot.picture_file(each), html.escape(words)
        file = html.escape(f"{name}-{words.split(':')[0].replace(' ', '-')}.jpg")
        figures.append(
            f'<figure><img src="{url}" alt="{said}"><figcaption>{said} <a href="{url}" download="{file}">save</a></figcaption></figure>'
        )
    return f'<div class="dgm-album">{"".join(figures)}</div><p class="dgm-receipt">{html.escape(receipt)}</p>'
