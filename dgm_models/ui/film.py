"""Films for the player: frames of tensors become one sprite sheet a row, and files to download. No gradio in here."""

from __future__ import annotations

import atexit
import io
import shutil
import tempfile
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dgm_models.contracts import Frame
from dgm_models.modalities import image

MOST_FRAMES = 40
KEPT_FILES = 300
_files: deque[Path] = deque()


@dataclass(frozen=True)
class Row:
    """One line of the player: frames of (n, 1, h, w), shown as tiles in so many columns, with a word over each column.

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

    def value(self) -> dict[str, Any]:
        """The player's value: everything it needs to play without the server."""
        single = len(self.rows) == 1 and not self.rows[0].title
        return {
            "rows": [_packed(row) for row in self.rows],
            "count": self.count,
            "notes": [frame.note for frame in self.rows[0].frames] if single else [],
            "receipt": self.receipt,
            "link": self.link,
            "tall": self.tall,
            "autoplay": self.autoplay,
            "partial": self.partial,
            "made": time.time_ns(),  # the page passes on what differs: the same result, asked for again, plays again
        }

    def page(self, at: int, scale: int) -> np.ndarray:
        """One frame of all rows in one picture, uint8 (h, w), enlarged so many times."""
        sheets = [image.tile(row.frames[at].x, row.columns) for row in self.rows]
        width = max(sheet.shape[1] for sheet in sheets)
        padded = [np.pad(sheet, ((0, 2), (0, width - sheet.shape[1])), constant_values=60) for sheet in sheets]
        return image.enlarge(np.concatenate(padded)[:-2], scale)

    def files(self, name: str) -> list[str]:
        """Paths of the last frame as PNG, of the film as GIF, and of the last pictures as NPY (float32): those of the first row's size."""
        folder = Path(tempfile.mkdtemp(prefix="dgm-"))
        ends = [row.frames[-1].x for row in self.rows]
        contents = {
            "png": image.png(self.page(self.count - 1, 4)),
            "gif": image.gif([self.page(at, 2) for at in range(self.count)]),
            "npy": _npy(torch.cat([x for x in ends if x.shape[1:] == ends[0].shape[1:]])),
        }
        paths = []
        for ending, raw in contents.items():
            path = folder / f"{name}.{ending}"
            path.write_bytes(raw)
            paths.append(str(path))
        _forget_old(folder)
        return paths


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
    height, width = sheets[0].shape
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


def _npy(x: Tensor) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, x.numpy())
    return buffer.getvalue()


def _forget_old(folder: Path) -> None:
    _files.append(folder)
    while len(_files) > KEPT_FILES:
        shutil.rmtree(_files.popleft(), ignore_errors=True)


@atexit.register
def _forget_all() -> None:
    for folder in _files:
        shutil.rmtree(folder, ignore_errors=True)
