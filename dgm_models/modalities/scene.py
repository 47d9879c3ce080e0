"""Scenes and their captions: a written digit, a real one, and a shape on a coloured ground; "a red seven leaning left on a yellow ground,
above a small blue circle". A caption may leave things out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models.modalities import strokes

SIDE = 64
PAINT = {
    "red": (200, 40, 40),
    "orange": (240, 140, 30),
    "green": (40, 140, 60),
    "blue": (45, 85, 205),
    "purple": (125, 60, 165),
    "black": (25, 25, 30),
}
GROUNDS = {"white": (245, 245, 245), "yellow": (240, 208, 90), "pink": (245, 180, 200), "grey": (165, 170, 175)}
# how many corners, and how far out the middle of the edge between two lies: 1 where it is straight
CORNERS = {"circle": (0, 0.0), "square": (4, 1.0), "triangle": (3, 1.0), "star": (5, 0.42)}
SLANTS = {"leaning left": -20.0, "upright": 8.0, "leaning right": 32.0}  # degrees, as digits are measured: people write at about 8
PLACES = {"above": (0.0, -1.0), "below": (0.0, 1.0), "left of": (-1.0, 0.0), "right of": (1.0, 0.0)}  # of the digit, from the shape
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZES = {"small": 0.75, "large": 1.0}
ATTRIBUTES = {
    "digit": DIGITS,
    "colour": tuple(PAINT),
    "size": tuple(SIZES),
    "lean": tuple(SLANTS),
    "ground": tuple(GROUNDS),
    "shape": tuple(CORNERS),
    "shape colour": tuple(PAINT),
    "shape size": tuple(SIZES),
    "place": tuple(PLACES),
}
NAMES = tuple(ATTRIBUTES)
TALL, WIDE = 40.0, 11.0  # pixels: of a large digit's picture, and from the middle of a large shape to its corners
VOWELS = ("orange", "eight")  # before which "a" is "an"
JITTER, OFF = 2.0, 0.03  # pixels by which digit and shape are off their places, and by how much colours are, at most


def draw(digits: Tensor, attributes: Tensor, stream: torch.Generator) -> Tensor:
    """Digits (n, 1, 28, 28) in [0, 1] and what is wished for of each, (n, NAMES), all of it said -> pictures (n, 3, SIDE, SIDE) in [0, 1].
    The digit is leant from how it leans to how it should, and what it is must be what is wished for."""
    wish = {name: attributes[:, at] for at, name in enumerate(NAMES)}
    way = torch.tensor(list(PLACES.values()))[wish["place"]]
    jitter = lambda: JITTER * (2 * torch.rand(len(digits), 2, generator=stream) - 1)  # noqa: E731
    middle = SIDE / 2 + 0.16 * SIDE * way + jitter()
    ink = _placed(digits, middle, TALL * _of(SIZES, wish["size"]), _of(SLANTS, wish["lean"]))
    shape = _shaped(wish["shape"], SIDE / 2 - 0.31 * SIDE * way + jitter(), WIDE * _of(SIZES, wish["shape size"]))
    picture = _shade(GROUNDS, wish["ground"], stream)
    for cover, colour in ((shape, wish["shape colour"]), (ink, wish["colour"])):
        picture = torch.lerp(picture, _shade(PAINT, colour, stream), cover)
    return picture.clamp(0, 1)


def _of(choices: dict[str, float], at: Tensor) -> Tensor:
    return torch.tensor(list(choices.values()))[at]


def _shade(paints: dict[str, tuple[int, int, int]], at: Tensor, stream: torch.Generator) -> Tensor:
    """A colour each, a little off, (n, 3, 1, 1)."""
    shade = torch.tensor(list(paints.values()))[at] / 255
    return (shade + OFF * (2 * torch.rand(shade.shape, generator=stream) - 1)).clamp(0, 1)[..., None, None]


def _placed(digits: Tensor, middle: Tensor, tall: Tensor, slant: Tensor) -> Tensor:
    """Digits as they cover a picture, (n, 1, SIDE, SIDE): so many pixels tall, about a place (n, 2), leaning so many degrees."""
    shear = torch.tan(torch.deg2rad(slant)) - torch.tan(torch.deg2rad(strokes.slant(digits)))
    scale = SIDE / tall  # from where a pixel is to where it is taken from, both from -1 to 1
    off = 2 * middle / SIDE - 1
    way = torch.stack(
        [
            torch.stack([scale, scale * shear, -scale * (off[:, 0] + shear * off[:, 1])], 1),
            torch.stack([0 * scale, scale, -scale * off[:, 1]], 1),
        ],
        1,
    )
    grid = F.affine_grid(way, [len(digits), 1, SIDE, SIDE], align_corners=False)
    return F.grid_sample(digits.float(), grid, mode="bicubic", align_corners=False).clamp(0, 1)


def _shaped(shape: Tensor, middle: Tensor, wide: Tensor) -> Tensor:
    """Shapes as they cover a picture, (n, 1, SIDE, SIDE): polygons whose corners lie on a circle so wide, and the circle."""
    place = torch.arange(SIDE) + 0.5
    right, down = place[None, None, :] - middle[:, 0, None, None], place[None, :, None] - middle[:, 1, None, None]
    corners, deep = (torch.tensor([each[k] for each in CORNERS.values()])[shape][:, None, None] for k in (0, 1))
    wide, far, half = wide[:, None, None], torch.hypot(right, down), math.pi / corners.clamp_min(3)
    turn = torch.where(corners == 4, half, 0.0)  # a square stands on its side
    angle = (torch.atan2(right, -down) + turn).remainder(2 * half)
    angle = torch.minimum(angle, 2 * half - angle)  # from a corner to the middle of the edge, where it is `half`
    x, y = far * angle.cos(), far * angle.sin()
    edge_x, edge_y = deep * wide * half.cos() * half.cos() - wide, deep * wide * half.cos() * half.sin()
    beyond = ((x - wide) * edge_y - y * edge_x) / torch.hypot(edge_x, edge_y)
    return (0.5 - torch.where(corners == 0, far - 0.9 * wide, beyond)).clamp(0, 1)[:, None]


def caption(said: Mapping[str, str]) -> str:
    """What is said of a scene, by its attributes; what is not said is not there."""
    ground = f"on a {said['ground']} ground" if "ground" in said else ""
    text = called(said.get("size"), said.get("colour"), said.get("digit", "digit"), said.get("lean"), ground)
    shape = called(said.get("shape size"), said.get("shape colour"), said.get("shape", "shape"))
    if "place" in said:
        return f"{text}, {said['place']} {shape}"
    return text if shape == "a shape" else f"{text}, with {shape}"


def called(*parts: str | None) -> str:
    """What is said of a thing, with its article."""
    text = " ".join(part for part in parts if part)
    return f"{'an' if text.startswith(VOWELS) else 'a'} {text}"
