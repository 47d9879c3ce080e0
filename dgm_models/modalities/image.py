"""Pictures in and out: tensors in [0, 1] to PNG, GIF and NPY, and a person's file to a digit of 28 x 28."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
MOST_PIXELS, MOST_PHOTO = 4_000_000, 50_000_000
GAP = 1  # pixels between the tiles of a sheet


def levels(x: Tensor) -> np.ndarray:
    """[0, 1] -> uint8, rounded and clamped."""
    return (x.detach().clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def tile(x: Tensor, columns: int, paper: int = 60) -> np.ndarray:
    """(n, 1, h, w) -> one grey picture with that many tiles a line, uint8."""
    n, _, h, w = x.shape
    columns = min(columns, n)
    lines = -(-n // columns)
    sheet = np.full((lines * (h + GAP) - GAP, columns * (w + GAP) - GAP), paper, np.uint8)
    for i, one in enumerate(levels(x[:, 0])):
        top, left = (i // columns) * (h + GAP), (i % columns) * (w + GAP)
        sheet[top : top + h, left : left + w] = one
    return sheet


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def data_url(array: np.ndarray) -> str:
    """A PNG that a page can show without asking for it."""
    return "data:image/png;base64," + base64.b64encode(png(array)).decode()


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
    """(n, 1, h, w) to a .png sheet or a .npy of float32; ValueError for another ending."""
    if path.suffix == ".png":
        path.write_bytes(png(enlarge(tile(x, min(10, len(x))), 3)))
    elif path.suffix == ".npy":
        np.save(path, x.numpy())
    else:
        raise ValueError(f"expected a file that ends in .png or .npy, got {path.name}")


def read_digit(path: str | Path) -> Tensor:
    """A person's picture as a digit: white ink on black, centred by mass in 28 x 28 as MNIST is; (1, 1, 28, 28).

    A large JPEG, as phones take them, is decoded at a fraction of its size. ValueError with a plain sentence for other formats, for
    more than 4 million pixels, 50 million of a JPEG (checked before decoding), and for blank pictures.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            size, most = image.size, MOST_PIXELS if image.format != "JPEG" else MOST_PHOTO
            if size[0] * size[1] > most:
                raise ValueError(f"the picture is {size[0]} x {size[1]}; expected at most {most // 10**6} million pixels")
            image.draft("RGB", (512, 512))
            upright = ImageOps.exif_transpose(image).convert("RGBA")
            paper = Image.new("RGBA", upright.size, "white")  # what shows through where a picture is transparent
            grey = np.asarray(Image.alpha_composite(paper, upright).convert("L"), np.float32) / 255
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"expected a picture ({', '.join(FORMATS)}); this file could not be read") from error
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return centre(without_paper(torch.from_numpy(1 - grey if border.mean() > 0.5 else grey.copy())))


def without_paper(ink: Tensor, most: int = 256) -> Tensor:
    """(h, w), bright where the ink is -> the same within `most` pixels a side, minus the paper: its shade, its shadows, its grain.

    The paper is the darkest of each neighbourhood that is wider than a stroke, smoothed.
    """
    scale = min(1.0, most / max(ink.shape))
    size = [max(1, round(side * scale)) for side in ink.shape]
    small = F.interpolate(ink[None, None], size=size, mode="area")
    wide = 2 * (max(size) // 6) + 1
    paper = -F.max_pool2d(-small, wide, stride=1, padding=wide // 2)
    paper = F.avg_pool2d(paper, wide, stride=1, padding=wide // 2, count_include_pad=False)
    marks = (small - paper)[0, 0].clamp_min(0)
    return (marks - 0.2 * marks.max()).clamp_min(0) if marks.max() > 0.15 else torch.zeros_like(marks)


def centre(ink: Tensor) -> Tensor:
    """(h, w) of any size -> (1, 1, 28, 28): the ink's box scaled to 20 pixels, its centre of mass in the middle."""
    ink = (ink - ink.min()) / (ink.max() - ink.min()).clamp_min(1e-6)
    rows, columns = (ink > 0.3).any(1).nonzero()[:, 0], (ink > 0.3).any(0).nonzero()[:, 0]
    if len(rows) == 0 or ink.std() < 1e-3:
        raise ValueError("the picture is blank: expected a digit, dark on light or light on dark")
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = 20 / max(box.shape)
    size = [max(1, round(side * scale)) for side in box.shape]
    small = F.interpolate(box[None, None], size=size, mode="bilinear", antialias=True, align_corners=False)[0, 0]
    mass = small.sum()
    down = round(float((small.sum(1) * torch.arange(size[0])).sum() / mass))
    across = round(float((small.sum(0) * torch.arange(size[1])).sum() / mass))
    top, left = min(max(14 - down, 0), 28 - size[0]), min(max(14 - across, 0), 28 - size[1])
    out = torch.zeros(1, 1, 28, 28)
    out[0, 0, top : top + size[0], left : left + size[1]] = small.clamp(0, 1)
    return out
