"""A person's picture as a digit: whatever a camera, a scanner or an editor wrote becomes light ink on black, as MNIST's digits lie.

Ink is the minority against the paper around it. Paper is what remains when all that is thinner than WIDE of the picture is filled in, a
closing for dark ink and an opening for light ink (Serra, 1982); so the shade of the paper, its shadows, a desk or a black panel around it
are paper too. Of the marks that are left, lines that enclose the rest are a frame, and small ones far away are labels or dust.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")  # a JPEG with more pictures behind it opens as one, and is then called MPO
ENDINGS = (".png", ".jpg", ".jpeg", ".mpo", ".gif", ".bmp", ".webp", ".tif", ".tiff")
MOST_PIXELS, MOST_PHOTO = 4_000_000, 50_000_000
FINE, COARSE = 512, 128  # pixels a side at which ink and paper are looked for
WIDE = 0.3  # of the picture: the widest stroke
SMALL = 0.04  # of the picture: the least height of a digit
FAINT = 0.08  # of the range from black to white: less is grain of the paper
PEN = 0.11  # of a digit's height: how wide a stroke of MNIST is


def read_digit(path: str | Path) -> Tensor:
    """White ink on black, centred by mass in 28 x 28 as MNIST is; (1, 1, 28, 28) in [0, 1].

    A large JPEG, as phones take them, is decoded at a fraction of its size; of several pictures in one file the first is taken.
    ValueError with a plain sentence for other formats, for more than 4 million pixels, 50 million of a JPEG (checked before decoding), and
    for blank pictures.
    """
    return as_digit(find_ink(torch.from_numpy(read_grey(path))))


# files ----------------------------------------------------------------------------------------------------------------


def read_grey(path: str | Path) -> np.ndarray:
    """The picture as it looks, upright: float32 (h, w), 0 black, 1 white."""
    return _grey(upright(path, 2 * FINE))


def upright(path: str | Path, enough: int) -> Image.Image:
    """A person's file as it looks, turned as its EXIF says; a large JPEG is decoded at a fraction of its size that has `enough` pixels a
    side. ValueError as `read_digit` says."""
    try:
        with Image.open(path, formats=FORMATS) as opened:
            size, most = opened.size, MOST_PHOTO if opened.format in ("JPEG", "MPO") else MOST_PIXELS
            if size[0] * size[1] > most:
                raise ValueError(f"the picture is {size[0]} x {size[1]}; expected at most {most // 10**6} million pixels")
            opened.draft("RGB", (enough, enough))
            opened.load()
            return ImageOps.exif_transpose(opened)
    except (OSError, SyntaxError, NotImplementedError, Image.DecompressionBombError) as error:
        raise ValueError(f"expected a picture ({', '.join(FORMATS)}); this file could not be read") from error


def _grey(picture: Image.Image) -> np.ndarray:
    if picture.mode[0] in "IF":  # 16 and 32 bits a pixel: the range of a sensor or of a plot, which need not be used whole
        deep = np.asarray(picture, np.float32)
        low, high = float(deep.min()), float(deep.max())
        most = 65535.0 if picture.mode[0] == "I" and low >= 0 and high <= 65535 else high
        return ((deep - min(low, 0.0)) / max(most - min(low, 0.0), 1e-9)).clip(0, 1)
    if picture.mode == "LAB":
        return np.asarray(picture.getchannel("L"), np.float32) / 255
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("RGB").convert("L"), np.float32) / 255
    shown = picture.convert("RGBA")
    grey, alpha = (np.asarray(each, np.float32) / 255 for each in (shown.convert("RGB").convert("L"), shown.getchannel("A")))
    seen = alpha > 0.5
    if not seen.any():
        return np.zeros_like(alpha)
    if not seen.all() and np.ptp(grey[seen]) < 0.1:  # one colour everywhere: alpha is the ink
        return 1 - alpha
    clear = 1.0 - float(np.median(grey[seen]) > 0.5) if seen.mean() < 0.5 else float(np.median(grey[seen]))
    return alpha * grey + (1 - alpha) * clear


# ink ------------------------------------------------------------------------------------------------------------------


def find_ink(grey: Tensor) -> Tensor:
    """(h, w) as it looks -> the ink alone, (h', w') in [0, 1], at most FINE pixels a side. ValueError for a blank picture."""
    fine = _within(grey, FINE)
    found = [(_kept(marks), amount) for marks, amount in (_marks(fine), _marks(1 - fine)) if amount > 0]
    thin = {id(ink): _stroke(ink) for ink, _ in found}
    # grain has no strokes, and a lit corner is like all that lies about it
    found = [(ink, amount) for ink, amount in found if thin[id(ink)] > 0 and amount > 0.1 * float(ink.sum())]
    if not found:
        raise ValueError("the picture is blank: expected a digit, dark on light or light on dark")
    # what lies between strokes is marked as well, as blobs of the other shade; and a sheet on a desk may be thin enough, with ink in it
    ink, amount = max(found, key=lambda each: each[1] / thin[id(each[0])])
    top, bottom, left, right = _box(ink > 0.3)
    for other, much in found:
        inside = torch.zeros_like(other)
        inside[top + 1 : bottom, left + 1 : right] = other[top + 1 : bottom, left + 1 : right]
        if much > 0.03 * amount and thin[id(other)] < 0.6 * thin[id(ink)] and inside.sum() > 0.7 * other.sum():
            return inside
    return ink


def _within(x: Tensor, most: int) -> Tensor:
    """(h, w) -> the same, averaged to at most so many pixels a side."""
    scale = min(1.0, most / max(x.shape))
    size = [max(1, round(side * scale)) for side in x.shape]
    return F.interpolate(x[None, None], size=size, mode="area")[0, 0]


def _marks(grey: Tensor) -> tuple[Tensor, float]:
    """What is darker than the paper around it and thin, (h, w) in [0, 1], and how much of it there is that most of its neighbourhood is
    unlike: the hole of a dark ring is bright and thin, but as bright as what lies about the ring."""
    coarse = _within(grey, COARSE)
    wide = 2 * (max(3, round(WIDE * min(coarse.shape))) // 2) + 1
    paper = -F.max_pool2d(-_closing(coarse, wide)[None], 3, stride=1, padding=1)[0]  # on the dark side of where it changes
    both = torch.stack([paper, _median(coarse, wide)])[None]
    paper, usual = F.interpolate(both, size=grey.shape, mode="bilinear")[0]
    dark = (paper - grey).clamp_min(0)
    share = dark / paper.clamp_min(0.1)  # of the light there: a shadow dims paper and contrast alike
    share = torch.where(dark > FAINT, share, 0.0)
    strong = share > 0.5 * _high(share)
    amount = float((share * ((usual - grey) > 0.5 * dark))[strong].sum())
    return (share / _high(share)).clamp(max=1), amount


def _closing(x: Tensor, wide: int) -> Tensor:
    """The smallest picture above x without dark parts that a square of that width does not fit into; around x lies what is usual at its
    edges."""
    far, edges = wide // 2, torch.cat([x[0], x[-1], x[:, 0], x[:, -1]])
    padded = F.pad(x[None, None], (wide,) * 4, value=float(edges.median()))
    high = F.max_pool2d(padded, wide, stride=1, padding=far)
    return -F.max_pool2d(-high, wide, stride=1, padding=far)[0, 0, wide:-wide, wide:-wide]


def _median(x: Tensor, wide: int) -> Tensor:
    """Of the square of twice that width around each pixel, of every second pixel in it."""
    far = wide - wide % 2
    padded = F.pad(x[None, None], (far,) * 4, mode="replicate")
    near = F.unfold(padded, 2 * far // 4 + 1, dilation=4)
    return near.median(1).values.view(1, -1)[0, : x.numel()].view_as(x)


def _high(x: Tensor) -> float:
    """A little below its largest, so that one bright pixel decides nothing."""
    marked = x[x > 0]
    return max(float(marked.quantile(0.95)) if 0 < marked.numel() < 2**24 else 0.0, 1e-3)


# marks ----------------------------------------------------------------------------------------------------------------


def _kept(ink: Tensor) -> Tensor:
    """The digit alone of all marks, which are told apart at half the size."""
    small = F.max_pool2d(ink[None, None], 2, ceil_mode=True)[0, 0]
    parts = _parts(small > 0.35)
    count = int(parts.max())
    if count < 1:
        return ink
    mass = torch.zeros(count + 1).index_add_(0, parts.flatten(), small.flatten())[1:]
    boxes = torch.tensor([_box(parts == part) for part in range(1, count + 1)])  # top, bottom, left, right
    frames = [part for part in range(count) if _frames(boxes, mass, part, small.shape)]
    allowed = torch.ones(count, dtype=torch.bool)
    for frame in frames:
        allowed &= _inside(boxes, boxes[frame]) & (torch.arange(count) != frame)
    if not allowed.any():
        allowed = torch.ones(count, dtype=torch.bool)
    whole = torch.tensor([0, small.shape[0] - 1, 0, small.shape[1] - 1])
    cut = (boxes == whole).any(1)  # a desk, a shadow, or a digit in a narrow picture
    for odd in (cut, _bars(boxes, parts)):
        if mass[allowed & ~odd].sum() > 0.2 * mass[allowed].max():
            allowed &= ~odd
    first = int(torch.where(allowed, mass, -1.0).argmax())
    side = int((boxes[first][1::2] - boxes[first][::2]).max()) + 1
    if side < SMALL * max(small.shape):  # nothing but grain
        return torch.zeros_like(ink)
    around = boxes[first] + side // 4 * torch.tensor([-1, 1, -1, 1])
    allowed &= (mass > 0.25 * mass[first]) | (_inside(boxes, around) & (mass > 0.02 * mass[first]))
    near = F.max_pool2d(torch.isin(parts, allowed.nonzero()[:, 0] + 1).float()[None, None], 3, stride=1, padding=1)
    return ink * F.interpolate(near, scale_factor=2, mode="nearest")[0, 0, : ink.shape[0], : ink.shape[1]]


def _frames(boxes: Tensor, mass: Tensor, part: int, shape: tuple[int, ...]) -> bool:
    """Whether a mark is an outline around others that weigh something, such as the edge of a sheet."""
    top, bottom, left, right = boxes[part].tolist()
    others = _inside(boxes, boxes[part]) & (torch.arange(len(mass)) != part)
    hollow = mass[part] < 0.15 * (bottom - top + 1) * (right - left + 1)
    large = bottom - top > 0.4 * shape[0] and right - left > 0.4 * shape[1]
    return bool(hollow and large and mass[others].sum() > 0.1 * mass[part])


def _bars(boxes: Tensor, parts: Tensor) -> Tensor:
    """Which marks are long upright or level rectangles, such as the margin between a plot and its numbers: bool (marks,)."""
    sizes = torch.bincount(parts.flatten(), minlength=len(boxes) + 1)[1:]
    high, wide = (boxes[:, 1::2] - boxes[:, ::2] + 1).unbind(1)
    return (sizes > 0.8 * high * wide) & (torch.maximum(high, wide) > 6 * torch.minimum(high, wide))


def _inside(boxes: Tensor, box: Tensor) -> Tensor:
    return (boxes[:, 0] >= box[0]) & (boxes[:, 1] <= box[1]) & (boxes[:, 2] >= box[2]) & (boxes[:, 3] <= box[3])


def _box(mask: Tensor) -> list[int]:
    rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
    return [int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])]


def _parts(mask: Tensor, most: int = 40) -> Tensor:
    """Connected parts, int64 like mask: 0 where there is none, else 1 to at most `most`, the largest first."""
    number = torch.where(mask, torch.arange(1, mask.numel() + 1).view_as(mask).float(), 0.0)
    while True:  # the largest number of each part spreads over it
        grown = F.max_pool2d(number[None, None], 3, stride=1, padding=1)[0, 0] * mask
        if torch.equal(grown, number):
            break
        number = grown
    names, sizes = number[mask].unique(return_counts=True)
    kept = names[sizes.argsort(descending=True)][:most]
    parts = torch.zeros_like(number, dtype=torch.int64)
    for place, name in enumerate(kept, start=1):
        parts[number == name] = place
    return parts


# as MNIST -------------------------------------------------------------------------------------------------------------


def as_digit(ink: Tensor) -> Tensor:
    """(h, w) in [0, 1] of any size -> (1, 1, 28, 28): the ink's box scaled to 20 pixels, thin strokes as wide and as bright as those of
    MNIST, the centre of mass in the middle."""
    top, bottom, left, right = _box(ink > 0.3)
    box = ink[top : bottom + 1, left : right + 1]
    box = _thickened(box)
    scale = 20 / max(box.shape)
    size = [max(1, round(side * scale)) for side in box.shape]
    small = F.interpolate(box[None, None], size=size, mode="bilinear", antialias=True, align_corners=False)[0, 0]
    small = (small / _high(small)).clamp(0, 1)
    mass = small.sum()
    down = round(float((small.sum(1) * torch.arange(size[0])).sum() / mass))
    across = round(float((small.sum(0) * torch.arange(size[1])).sum() / mass))
    top, left = min(max(14 - down, 0), 28 - size[0]), min(max(14 - across, 0), 28 - size[1])
    out = torch.zeros(1, 1, 28, 28)
    out[0, 0, top : top + size[0], left : left + size[1]] = small
    return out


def _thickened(ink: Tensor) -> Tensor:
    """Strokes thinner than PEN of the height widened to it; the box grows with them."""
    side = max(ink.shape)
    wanted = PEN * side
    missing = wanted - _stroke(ink)
    if missing < 0.25 * wanted:
        return ink
    far = max(1, round(missing / 2))
    reach = torch.linspace(-1, 1, 2 * far + 1)
    disk = (reach[:, None].square() + reach.square() <= 1.05).float()
    padded = F.pad(ink[None, None], (far,) * 4)
    around = F.pad(padded, (far,) * 4)
    wide = padded.clone()
    for down, across in disk.nonzero().tolist():
        wide = torch.maximum(wide, around[..., down : down + padded.shape[-2], across : across + padded.shape[-1]])
    return wide[0, 0]


def _stroke(ink: Tensor) -> float:
    """How wide the strokes are, in pixels: twice the area over the length of the outline."""
    smooth = F.avg_pool2d(F.pad(ink, (2,) * 4)[None], 3, stride=1, padding=1)[0]  # the grain of a picture is no outline
    on = (smooth > 0.4).float()
    outline = (on[1:] - on[:-1]).abs().sum() + (on[:, 1:] - on[:, :-1]).abs().sum()
    return float(2 * on.sum() / (0.8 * outline).clamp_min(1.0))
