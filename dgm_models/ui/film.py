"""Films for the player: frames of tensors become one sprite sheet a row, and files to download. No gradio in here."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dgm_models.contracts import Frame
from dgm_models.data import FIRST, SETS, Dataset
from dgm_models.modalities import image
from dgm_models.modalities.views import PICTURES, View, over, view_of

MOST_FRAMES = 40
ENDINGS = {"png": "image/png", "gif": "image/gif", "npy": "application/octet-stream", "txt": "text/plain; charset=utf-8"}
ENDINGS |= {"smi": "chemical/x-daylight-smiles", "sdf": "chemical/x-mdl-sdfile"}


class Shown(dict[str, Any]):
    """What the player shows; and, which the page does not need, the last elements of the first row's shape, and how rows are viewed."""

    def __init__(self, value: dict[str, Any], last: Tensor, views: list[View]) -> None:
        super().__init__(value)
        self.last, self.views = last, views


@dataclass(frozen=True)
class Row:
    """One line of the player: frames of (n, *shape), shown as tiles in so many columns, with a word over each column, in the view of their
    kind.

    `kind` is "data" or "model": each has its colour all over the app.
    """

    frames: list[Frame]
    columns: int
    title: str = ""
    caption: str = ""
    heads: tuple[str, ...] = ()
    kind: str = "model"
    hidden: Tensor | None = None  # of the first tile, true where the player paints a pixel in the colour of masks, bool (1, h, w)
    view: View = PICTURES


@dataclass(frozen=True)
class Film:
    """What the player shows. `partial`: more follows; files to save, made when they are asked for, are called `name`."""

    rows: list[Row]
    name: str = ""
    receipt: str = ""
    link: str = ""
    autoplay: bool = True
    partial: bool = False

    def __post_init__(self) -> None:
        count = min(MOST_FRAMES, max(len(row.frames) for row in self.rows))
        thinned = [replace(row, frames=resample(row.frames, count)) for row in self.rows]
        object.__setattr__(self, "rows", thinned)

    @property
    def count(self) -> int:
        return len(self.rows[0].frames)

    def value(self) -> Shown:
        """The player's value: everything it needs to play without the server."""
        ends = [row.frames[-1].x for row in self.rows]
        single = len(self.rows) == 1 and not self.rows[0].title
        value = {
            "rows": [_packed(row) for row in self.rows],
            "count": self.count,
            "notes": [frame.note for frame in self.rows[0].frames] if single else [],
            "receipt": self.receipt,
            "link": self.link,
            "autoplay": self.autoplay,
            "partial": self.partial,
            "name": self.name,
        }
        if (endings := self.rows[0].view.endings) != PICTURES.endings:
            value["endings"] = endings
        alike = [x for x in ends if x.shape[1:] == ends[0].shape[1:]]
        return Shown(value, torch.cat(alike), [row.view for row in self.rows])


def resample(frames: list[Frame], count: int) -> list[Frame]:
    """That many frames, evenly spread, the first and the last among them; repeated where there are fewer."""
    if count == 1:
        return [frames[-1]]
    return [frames[round(i * (len(frames) - 1) / (count - 1))] for i in range(count)]


def bare(frames: list[Frame], count: int = 0) -> list[Frame]:
    """All frames, or that many as `resample` has them, without what is predicted from each: a film of less than half the size."""
    return [frame._replace(guess=None) for frame in (resample(frames, count) if count else frames)]


def look(data: Dataset) -> View:
    """How elements of a data set are looked at."""
    return view_of(data.space, data.is_ink)


def still(x: Tensor, note: str = "") -> list[Frame]:
    """A film of one frame."""
    return [Frame(x, note)]


def _packed(row: Row) -> dict[str, Any]:
    shown = row.view.pack([frame.x for frame in row.frames], row.columns)
    predicts = any(frame.guess is not None for frame in row.frames)  # a finished picture is its own prediction
    if predicts:
        shown["guess"] = row.view.pack([frame.x if frame.guess is None else frame.guess for frame in row.frames], row.columns)["sheet"]
    return {
        **shown,
        "title": row.title,
        "caption": row.caption,
        "heads": row.heads,
        "kind": row.kind,
        "hidden": [] if row.hidden is None else image.places(row.hidden, shown["width"]),
        "notes": [frame.note for frame in row.frames],
        **(_besides(row) if row.view.kind == PICTURES.kind else {"view": row.view.kind}),
    }


def _besides(row: Row) -> dict[str, Any]:
    """What the player has to know of pictures (n, c, h, w) that are not such ink as the pads take: the size of a tile, and that they stay
    as they are in a light page."""
    plain, x = SETS[FIRST].space, row.frames[0].x
    return {
        **({} if x.shape[2:] == (plain.height, plain.width) else {"tile": list(x.shape[2:])}),
        **({} if row.view.ink and x.shape[1] == 1 else {"ink": False}),
    }


# files ----------------------------------------------------------------------------------------------------------------


def saved(shown: Shown, ending: str) -> bytes:
    """The last frame as "png", the film as "gif", the last elements as "npy" (float32), and what its view makes besides. ValueError for
    what cannot be had of it."""
    if ending not in shown.views[0].endings:
        raise ValueError(f"File: expected an ending of {', '.join(shown.views[0].endings)}, got {ending[:20]!r}")
    if ending == "npy":
        return _npy(shown.last)
    if ending in shown.views[0].files:
        return shown.views[0].files[ending](shown["rows"][0])
    rows = list(zip(shown.views, shown["rows"], strict=True))
    if ending == "png":
        return image.png(over(rows, shown["count"] - 1), shown["link"])
    smaller = [(replace(view, enlarged=-(-view.enlarged // 2)), row) for view, row in rows]
    return image.gif([over(smaller, at) for at in range(shown["count"])])


def _npy(x: Tensor) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, x.numpy())
    return buffer.getvalue()
