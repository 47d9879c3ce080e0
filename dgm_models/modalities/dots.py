"""Points of the plane, out: as dots in tiles, those of data behind them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

SIDE, GAP = 240, 8  # pixels of a tile, and between tiles
REACH = 2.1  # what is shown of each axis, from -REACH to REACH
INK = {"data": (15, 118, 110), "model": (176, 58, 10)}


def pack(frames: list[Tensor], columns: int, behind: Tensor | None = None, reach: float = REACH) -> dict[str, Any]:
    """Frames of (tiles, points, 2), or of (points, 2) for one tile; `behind`, (m, 2), stands still in each tile. Places travel as bytes:
    1 to 255 from -reach to reach, and 0 for what lies outside and is not shown."""
    films = torch.stack([frame if frame.dim() == 3 else frame[None] for frame in frames])
    tiles, points = films.shape[1:3]
    columns = min(columns, tiles)
    lines = -(-tiles // columns)
    return {
        "points": _bytes(films, reach),
        "behind": "" if behind is None else _bytes(behind, reach),
        "tiles": tiles,
        "many": points,
        "columns": columns,
        "width": columns * (SIDE + GAP) - GAP,
        "height": lines * (SIDE + GAP) - GAP,
    }


def _bytes(x: Tensor, reach: float) -> str:
    levels = torch.where((x.abs() <= reach).all(-1, keepdim=True), ((x / reach + 1) / 2 * 254).round() + 1, 0.0).to(torch.uint8)
    return "data:application/octet-stream;base64," + base64.b64encode(levels.numpy().tobytes()).decode()


def places(packed: str) -> np.ndarray:
    """What `pack` made of places: uint8 (n, 2), 1 to 255 along each axis, 0 for those outside."""
    return np.frombuffer(base64.b64decode(packed.partition(",")[2]), np.uint8).reshape(-1, 2)


def paint(packed: dict[str, Any], at: int) -> np.ndarray:
    """A frame, uint8 (height, width, 3)."""
    page = Image.new("RGB", (packed["width"], packed["height"]), "white")
    pen, step = ImageDraw.Draw(page), SIDE + GAP
    moving = places(packed["points"]).reshape(-1, packed["tiles"], packed["many"], 2)[at]
    still = places(packed["behind"])
    for tile, points in enumerate(moving):
        left, top = tile % packed["columns"] * step, tile // packed["columns"] * step
        pen.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), outline=(200, 200, 200))
        for kind, dots, size in (("data", still, 1.5), ("model", points, 2.5)):
            for x, y in (dots[dots[:, 0] > 0] - 1.0) / 254 * (SIDE - 1):
                across, down = left + x, top + SIDE - 1 - y
                pen.ellipse((across - size, down - size, across + size, down + size), fill=INK[kind])
    return np.asarray(page)
