"""A person's photograph in colour: upright, on white where it was clear, no larger than a page needs; as a model takes it, and back at its
own size."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from dgm_models.modalities.image import levels
from dgm_models.modalities.photo import upright

MOST, LEAST = 512, 16  # pixels of the longer side that are kept; of the shorter side that are needed
URL = "data:image/webp;base64,"


def read_photo(path: str | Path) -> Tensor:
    """A file -> (3, h, w) in [0, 1], the longer side at most MOST pixels. ValueError with a plain sentence for what is no picture, too
    large, or too narrow."""
    return _colours(upright(path, MOST))


def _colours(picture: Image.Image) -> Tensor:
    if picture.mode[0] in "IF":  # 16 and 32 bits a pixel: the range of a sensor
        deep = np.asarray(picture, np.float32)
        picture = Image.fromarray(((deep - deep.min()) / max(float(np.ptp(deep)), 1e-9) * 255).astype(np.uint8))
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    picture = picture.convert("RGB")
    picture.thumbnail((MOST, MOST), Image.Resampling.LANCZOS)
    if min(picture.size) < LEAST:
        raise ValueError(f"the picture is {picture.width} x {picture.height}; expected at least {LEAST} pixels a side")
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def pack(photo: Tensor) -> str:
    """(3, h, w) in [0, 1] -> what a page can show, to the last level."""
    buffer = io.BytesIO()
    Image.fromarray(levels(photo).transpose(1, 2, 0)).save(buffer, "WEBP", lossless=True, quality=50)
    return URL + base64.b64encode(buffer.getvalue()).decode()


def picture_file(photo: Tensor) -> str:
    """(3, h, w) in [0, 1] -> a smaller file that a page can show and save, near enough to the eye."""
    buffer = io.BytesIO()
    Image.fromarray(levels(photo).transpose(1, 2, 0)).save(buffer, "JPEG", quality=80, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def unpack(url: str) -> Tensor:
    """The inverse of `pack`; ValueError for anything that it did not make."""
    try:
        if not url.startswith(URL):
            raise ValueError
        with Image.open(io.BytesIO(base64.b64decode(url[len(URL) :], validate=True)), formats=("WEBP",)) as opened:
            if max(opened.size) > MOST:
                raise ValueError
            return _colours(opened)
    except (OSError, ValueError, AttributeError, SyntaxError, binascii.Error, Image.DecompressionBombError) as error:
        raise ValueError(f"Picture: expected one of at most {MOST} pixels a side, as the page sends it") from error


def middle(photo: Tensor) -> Tensor:
    """The largest square in the middle: (3, h, w) -> (3, side, side)."""
    high, wide = photo.shape[1:]
    short = min(high, wide)
    top, left = (high - short) // 2, (wide - short) // 2
    return photo[:, top : top + short, left : left + short]


def squared(photo: Tensor, side: int) -> Tensor:
    """That square, averaged to so many pixels a side: (1, 3, side, side)."""
    return F.interpolate(middle(photo)[None], (side, side), mode="area")


def tinted(grey: Tensor, answers: Tensor) -> Tensor:
    """A photograph in grey, (1, h, w), in the colours of small pictures of it (n, 3, side, side): (n, 3, h, w). Its own lightness stays but
    where a colour would leave [0, 1], which fades there."""
    colour = F.interpolate(answers - answers.mean(1, keepdim=True), grey.shape[1:], mode="bicubic", align_corners=False)
    room = torch.where(colour > 0, (1 - grey) / colour.clamp_min(1e-6), grey / (-colour).clamp_min(1e-6))
    return (grey + colour * room.amin(1, keepdim=True).clamp(0, 1)).clamp(0, 1)
