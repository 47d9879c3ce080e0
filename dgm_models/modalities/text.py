"""Texts, out: of sequences of tokens, for reading."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dgm_models.spaces import Tokens

WIDE, LINE, LETTER = 720, 22, 9  # pixels: of a column of text, of a line, of a letter
JOINT = "\n\n"  # between two texts of a file


def words(space: Tokens, x: Tensor) -> list[str]:
    """(n, length) -> n texts, each to where it ends."""
    return ["".join(space.alphabet[at] for at in row if at != space.end) for row in x.tolist()]


def pack(space: Tokens, frames: list[Tensor], columns: int) -> dict[str, Any]:
    """Frames of (n, length) -> their texts, and about how large they are."""
    films = [words(space, frame) for frame in frames]
    lines = max(sum(_lines(each, WIDE // columns) for each in film) for film in films)
    return {"texts": films, "columns": columns, "width": WIDE, "height": max(2, -(-lines // columns)) * LINE}


def _lines(text: str, wide: int) -> int:
    """How many lines a text takes, and the space after it."""
    return 1 + sum(max(1, len(textwrap.wrap(line, max(8, wide // LETTER)))) for line in text.split("\n"))


def paint(packed: dict[str, Any], at: int) -> np.ndarray:
    """A frame, uint8 (height, width), black on white."""
    page = Image.new("L", (packed["width"], packed["height"] + LINE), 255)
    pen, font, down = ImageDraw.Draw(page), ImageFont.load_default(16), 4
    for text in packed["texts"][at]:
        for line in text.split("\n"):
            for part in textwrap.wrap(line, WIDE // LETTER) or [""]:
                pen.text((6, down), part, font=font, fill=20)
                down += LINE
        down += LINE // 2
    return np.asarray(page)


def file(packed: dict[str, Any]) -> bytes:
    """The last texts, as a file has them."""
    return (JOINT.join(packed["texts"][-1]) + "\n").encode()
