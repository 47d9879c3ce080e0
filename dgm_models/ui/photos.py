"""A picture in colour that a panel asks for: one of those that ship, or a person's own, which is kept in the page and nowhere else; and
what a person hides of it."""

from __future__ import annotations

import base64
import binascii
import random
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models.modalities import photo, snapshot
from dgm_models.ui import widgets
from dgm_models.ui.panel import PICTURE, QUICK, Control, Laid, Shown
from dgm_models.ui.serve import number, one_of, refusal, refusing
from dgm_models.ui.widgets import GRID, Field

PHOTOS = "gradio_api/photos"  # where the photographs that ship are, beside the page
OWN = "own"  # how a person's picture is called in an address, which does not hold it
BESIDE = "~"  # between the name of a picture and the hole in it or the place looked at, in an address
MIDDLE = (50, 50)  # hundredths of the way across and down


def picture(
    name: str,
    names: Sequence[str],
    picture_of: Callable[[str], Tensor],
    first: str,
    noun: str = "picture",
    hole: Callable[[int, int], Tensor] | None = None,
    url_of: Callable[[str], str] | None = None,
    side: int = 0,
) -> Control:
    """A picture (3, h, w) in [0, 1] of those that are named, a button to another one, and a person's own. url_of: where the page finds a
    picture; without, it is sent along.

    hole: of a height and a width in pixels the hole at first, bool (GRID, GRID), true where hidden; a brush paints it, and the answering
    function is given both, the hole as bool (1, h, w). side: a square so many pixels wide is moved over the picture, and the function is
    given both, the part within it as (top, left, height, width).
    """
    known = tuple(names)

    def extras(x: Tensor) -> dict[str, Any]:
        """What belongs to a picture (3, h, w) beside itself."""
        return {"hole": _packed(hole(*x.shape[1:]))} if hole else {"side": side, "at": list(MIDDLE)} if side else {}

    def shipped(which: str) -> dict[str, Any]:
        x = picture_of(which)
        return {"of": which, "picture": url_of(which) if url_of else snapshot.pack(x), **extras(x)}

    def read(value: Any) -> Any:
        value = value if isinstance(value, dict) else {}
        x = snapshot.unpack(value.get("picture")) if value.get("uploaded") else picture_of(one_of(value.get("of"), "Picture", known))
        if side:
            return x, _square(x, side, value.get("at"))
        if hole is None:
            return x
        return x, F.interpolate(_unpacked(value.get("hole"))[None, None].float(), x.shape[1:], mode="nearest")[0] > 0.5

    def another(value: Any) -> dict[str, Any]:
        now = value.get("of") if isinstance(value, dict) else None
        return shipped(random.SystemRandom().choice([each for each in known if each != now]))

    def uploaded(path: str) -> dict[str, Any]:
        """A person's file, read and deleted."""
        try:
            x = snapshot.read_photo(path)
            return {"of": OWN, "picture": snapshot.pack(x), "uploaded": True, **extras(x)}
        except ValueError as error:
            raise refusal(error) from error
        finally:
            Path(path).unlink(missing_ok=True)

    def from_text(text: str) -> dict[str, Any]:
        which, _, beside = text.partition(BESIDE)
        value = shipped(one_of(which, "Picture", known))
        if beside and hole is not None:
            return {**value, "hole": _packed(_hole_from_text(beside))}
        return {**value, "at": _place([float(part) for part in beside.split(",")])} if beside and side else value

    def to_text(value: Any) -> str:
        which = OWN if value.get("uploaded") else str(value["of"])
        if hole is not None:
            return f"{which}{BESIDE}{_hole_to_text(value['hole'])}"
        return f"{which}{BESIDE}{','.join(map(str, _place(value.get('at'))))}" if side else which

    def build(_: list[Laid]) -> Laid:
        pad = widgets.photo(name, shipped(first)) if hole is None else widgets.brush(name, shipped(first))
        with gr.Row(elem_classes="dgm-buttons"):
            button = gr.Button(f"Another {noun}", size="sm")
            upload = gr.UploadButton("Your photo", size="sm", file_types=list(photo.ENDINGS), type="filepath")
        picked = button.click(refusing(another), pad, pad, **QUICK)
        took = upload.upload(uploaded, upload, pad, **QUICK)
        painted = [pad.input] if hole or side else []
        return Laid(
            "photo", [Field("picture", pad, from_text, to_text, costly=False)], read, [*painted, picked.success, took.success], PICTURE
        )

    return build


def _place(at: Any) -> list[int]:
    """How far across and down, in hundredths of the way."""
    if not isinstance(at, list) or len(at) != 2:
        raise ValueError(f"Place: expected two numbers from 0 to 100, how far across and down, got {str(at)[:40]!r}")
    return [round(number(part, "Place", 0, 100)) for part in at]


def _square(x: Tensor, side: int, at: Any) -> tuple[int, int, int, int]:
    """The square that is looked at of a picture (c, h, w): top, left, height, width; of a smaller picture all that there is."""
    across, down = _place(at)
    high, wide = (min(side, size) for size in x.shape[1:])
    return (x.shape[1] - high) * down // 100, (x.shape[2] - wide) * across // 100, high, wide


def _packed(hidden: Tensor) -> str:
    return base64.b64encode(np.packbits(hidden.numpy()).tobytes()).decode()


def _unpacked(text: Any) -> Tensor:
    """Bool (GRID, GRID); ValueError for anything else than `_packed` makes."""
    try:
        bits = np.unpackbits(np.frombuffer(base64.b64decode(text, validate=True), np.uint8))
        return torch.from_numpy(bits.reshape(GRID, GRID).astype(bool))
    except (TypeError, ValueError, binascii.Error):
        raise ValueError(f"Hole: expected {GRID} x {GRID} bits, as the page sends them") from None


def _hole_to_text(text: Any) -> str:
    return base64.urlsafe_b64encode(zlib.compress(base64.b64decode(_packed(_unpacked(text))), 9)).decode().rstrip("=")


def _hole_from_text(text: str) -> Tensor:
    raw = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), GRID * GRID)
    return _unpacked(base64.b64encode(raw))


def url_of_photo(which: str) -> str:
    """Where the page finds a photograph that ships, beside itself."""
    return f"{PHOTOS}/{which}.webp"


def album(name: str) -> Shown:
    """Pictures side by side under their words, each to be opened and saved: shows what `of_album` makes."""
    return Shown(lambda: widgets.album(name))


def of_album(pictures: Sequence[tuple[str, Tensor]], name: str, receipt: str, exact: bool = False) -> dict[str, Any]:
    """Pictures (3, h, w) with their words; files to save are called `name` and those. exact: to the last level, in larger files."""
    pack, ending = (snapshot.pack, "webp") if exact else (snapshot.picture_file, "jpg")
    made = []
    for words, each in pictures:
        file = f"{name}-{words.partition(':')[0].replace(' ', '-')}.{ending}"
        made.append({"words": words, "picture": pack(each), "file": file})
    return {"pictures": made, "receipt": receipt, "link": ""}
