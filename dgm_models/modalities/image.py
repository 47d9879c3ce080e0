"""Pictures out: tensors in [0, 1] to PNG, GIF and NPY."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

GAP, PAPER = 1, 60  # pixels between the tiles of a sheet, and their level


def levels(x: Tensor) -> np.ndarray:
    """[0, 1] -> uint8, rounded and clamped."""
    return (x.detach().clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def tile(x: Tensor, columns: int, paper: int = PAPER, gap: int = GAP) -> np.ndarray:
    """(n, c, h, w) -> one picture with that many tiles a line, uint8: (height, width) of grey ones, (height, width, 3) of those in colour.
    ValueError for pictures of any other number of planes."""
    n, planes, h, w = x.shape
    if planes not in (1, 3):
        raise ValueError(f"expected pictures of 1 or 3 colours, got {planes}")
    columns = min(columns, n)
    lines = -(-n // columns)
    sheet = np.full((lines * (h + gap) - gap, columns * (w + gap) - gap, planes), paper, np.uint8)
    for i, one in enumerate(levels(x).transpose(0, 2, 3, 1)):
        top, left = (i // columns) * (h + gap), (i % columns) * (w + gap)
        sheet[top : top + h, left : left + w] = one
    return sheet[..., 0] if planes == 1 else sheet


def pack(frames: list[Tensor], columns: int) -> dict[str, Any]:
    """Frames of (n, c, h, w) as one sprite sheet, below each other, and the size of one of them; `guess` may hold another sheet."""
    sheets = [tile(frame, columns) for frame in frames]
    height, width = sheets[0].shape[:2]
    return {"sheet": data_url(np.concatenate(sheets)), "guess": None, "width": width, "height": height}


def paint(packed: dict[str, Any], at: int) -> np.ndarray:
    """A frame of what was packed, uint8 (h, w) or (h, w, 3)."""
    return from_data_url(packed["sheet"])[at * packed["height"] : (at + 1) * packed["height"]]


def places(mask: Tensor, wide: int) -> list[int]:
    """Where a mask (1, h, w) of the first tile is true: row * wide + column, of a sheet as wide as that."""
    _, rows, columns = mask.nonzero(as_tuple=True)
    return (rows * wide + columns).tolist()


def in_colour(array: np.ndarray) -> np.ndarray:
    """A grey picture (h, w) as one in colour, (h, w, 3); one in colour as it is."""
    return array if array.ndim == 3 else array[..., None].repeat(3, 2)


def png(array: np.ndarray, link: str = "") -> bytes:
    """`link`: what opens this picture again, kept in the file as the text "link"."""
    buffer, said = io.BytesIO(), PngInfo()
    if link:
        said.add_text("link", link)
    Image.fromarray(array).save(buffer, "PNG", compress_level=6, pnginfo=said)
    return buffer.getvalue()


def data_url(array: np.ndarray) -> str:
    """A PNG that a page can show without asking for it."""
    return "data:image/png;base64," + base64.b64encode(png(array)).decode()


@lru_cache(maxsize=16)  # a film is painted frame by frame
def from_data_url(url: str) -> np.ndarray:
    """The picture that `data_url` packed, uint8 (h, w) or (h, w, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def enlarge(array: np.ndarray, scale: int) -> np.ndarray:
    """Nearest neighbour, so that pixels stay pixels."""
    return array.repeat(scale, 0).repeat(scale, 1)


def gif(pages: list[np.ndarray], milliseconds: int = 120) -> bytes:
    """A film that loops, the last page shown for longer."""
    buffer = io.BytesIO()
    images = [Image.fromarray(page) for page in pages]
    times = [milliseconds] * (len(images) - 1) + [1500]
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0)
    return buffer.getvalue()


def write(path: Path, x: Tensor) -> None:
    """(n, c, h, w) to a .png sheet or a .npy of float32; ValueError for another ending."""
    if path.suffix == ".png":
        path.write_bytes(png(enlarge(tile(x, min(10, len(x))), 3)))
    elif path.suffix == ".npy":
        np.save(path, x.numpy())
    else:
        raise ValueError(f"expected a file that ends in .png or .npy, got {path.name}")
