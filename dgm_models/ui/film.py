"""Films for the player: frames of tensors become one sprite sheet a row, and files to download. No gradio in here."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dgm_models.contracts import Frame
from dgm_models.modalities import image

MOST_FRAMES = 40
ENDINGS = {"png": "image/png", "gif": "image/gif", "npy": "application/octet-stream"}


class Shown(dict[str, Any]):
    """What the player shows; and, which the page does not need, the last pictures of the first row's size, (n, c, h, w)."""

    def __init__(self, value: dict[str, Any], last: Tensor) -> None:
        super().__init__(value)
        self.last = last


@dataclass(frozen=True)
class Row:
    """One line of the player: frames of (n, c, h, w), grey or in colour, shown as tiles in so many columns, with a word over each column.

    `kind` is "data" or "model": each has its colour all over the app.
    """

    frames: list[Frame]
    columns: int
    title: str = ""
    caption: str = ""
    heads: tuple[str, ...] = ()
    kind: str = "model"
    hidden: Tensor | None = None  # of the first tile, the pixels that the player paints in the colour of masks, bool


@dataclass(frozen=True)
class Film:
    """What the player shows. `tall` is the height on the screen, in pixels, that the pictures may take; `partial`: more follows."""

    rows: list[Row]
    receipt: str = ""
    link: str = ""
    tall: int = 400
    autoplay: bool = True
    partial: bool = False

    def __post_init__(self) -> None:
        count = min(MOST_FRAMES, max(len(row.frames) for row in self.rows))
        thinned = [replace(row, frames=resample(row.frames, count)) for row in self.rows]
        object.__setattr__(self, "rows", thinned)

    @property
    def count(self) -> int:
        return len(self.rows[0].frames)

    def value(self, name: str = "") -> Shown:
        """The player's value: everything it needs to play without the server. Files to save, made when asked for, are called `name`."""
        ends = [row.frames[-1].x for row in self.rows]
        single = len(self.rows) == 1 and not self.rows[0].title
        value = {
            "rows": [_packed(row) for row in self.rows],
            "count": self.count,
            "notes": [frame.note for frame in self.rows[0].frames] if single else [],
            "receipt": self.receipt,
            "link": self.link,
            "tall": self.tall,
            "autoplay": self.autoplay,
            "partial": self.partial,
            "name": name,
        }
        return Shown(value, torch.cat([x for x in ends if x.shape[1:] == ends[0].shape[1:]]))


def resample(frames: list[Frame], count: int) -> list[Frame]:
    """That many frames, evenly spread, the first and the last among them; repeated where there are fewer."""
    if count == 1:
        return [frames[-1]]
    return [frames[round(i * (len(frames) - 1) / (count - 1))] for i in range(count)]


def still(x: Tensor, note: str = "") -> list[Frame]:
    """A film of one frame."""
    return [Frame(x, note)]


def _packed(row: Row) -> dict[str, Any]:
    sheets = [image.tile(frame.x, row.columns) for frame in row.frames]
    predicts = any(frame.guess is not None for frame in row.frames)  # a finished picture is its own prediction
    guesses = [image.tile(frame.x if frame.guess is None else frame.guess, row.columns) for frame in row.frames if predicts]
    height, width = sheets[0].shape[:2]
    return {
        "sheet": image.data_url(np.concatenate(sheets)),
        "guess": image.data_url(np.concatenate(guesses)) if predicts else None,
        "width": width,
        "height": height,
        "title": row.title,
        "caption": row.caption,
        "heads": row.heads,
        "kind": row.kind,
        "hidden": [] if row.hidden is None else row.hidden.flatten().nonzero()[:, 0].tolist(),
        "notes": [frame.note for frame in row.frames],
    }


# files ----------------------------------------------------------------------------------------------------------------


def saved(shown: Shown, ending: str) -> bytes:
    """The last frame as "png", the film as "gif", or the last pictures as "npy" (float32). ValueError for another ending."""
    if ending == "npy":
        return _npy(shown.last)
    if ending not in ENDINGS:
        raise ValueError(f"File: expected an ending of {', '.join(ENDINGS)}, got {ending[:20]!r}")
    pages = _pages([(image.from_data_url(row["sheet"]), row["height"]) for row in shown["rows"]], shown["count"])
    return image.png(image.enlarge(pages[-1], 4)) if ending == "png" else image.gif([image.enlarge(page, 2) for page in pages])


def _pages(sheets: list[tuple[np.ndarray, int]], count: int) -> list[np.ndarray]:
    """Every frame of all rows in one picture, uint8 (h, w), or (h, w, 3) where any is in colour; of each row its sheet and how high a
    frame of it is."""
    if any(sheet.ndim == 3 for sheet, _ in sheets):
        sheets = [(image.in_colour(sheet), height) for sheet, height in sheets]
    width, planes = max(sheet.shape[1] for sheet, _ in sheets), sheets[0][0].shape[2:]
    wide = lambda sheet: [(0, 0), (0, width - sheet.shape[1]), *[(0, 0) for _ in planes]]  # noqa: E731
    padded = [np.pad(sheet, wide(sheet), constant_values=image.PAPER) for sheet, _ in sheets]
    gap = np.full((2, width, *planes), image.PAPER, np.uint8)
    pages = []
    for at in range(count):
        lines = [sheet[at * height : (at + 1) * height] for sheet, (_, height) in zip(padded, sheets, strict=True)]
        pages.append(np.concatenate([part for line in lines for part in (line, gap)][:-1]))
    return pages


def _npy(x: Tensor) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, x.numpy())
    return buffer.getvalue()
