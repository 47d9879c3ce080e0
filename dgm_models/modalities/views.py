"""How each kind of x is looked at: a function that packs frames for the page, and one that paints a frame for a file. What a page does with
them is in assets/ui/views, a renderer a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from dgm_models.modalities import dots, graph, image, molecule, text
from dgm_models.spaces import Graphs, Pixels, Reals, Selfies, Smiles, Space, Tokens

Packed = dict[str, Any]


@dataclass(frozen=True)
class View:
    """kind: of its renderer. pack: frames of (n, *shape), and tiles a line -> what the renderer needs, with the width and height that it
    asks for. paint: what was packed, and a frame's number -> that frame as a picture, uint8 (h, w) or (h, w, 3). endings: of the files
    that can be saved. enlarged: how many times a painted frame is shown larger in a file. ink: written, so that a light page shows
    it dark on white. files: of the endings that are no pictures, what makes the file of what was packed."""

    kind: str
    pack: Callable[[list[Tensor], int], Packed]
    paint: Callable[[Packed, int], np.ndarray]
    endings: tuple[str, ...] = ("png", "gif", "npy")
    enlarged: int = 1
    ink: bool = False
    files: Mapping[str, Callable[[Packed], bytes]] = field(default_factory=dict)


PICTURES = View("pictures", image.pack, image.paint, enlarged=4, ink=True)
PHOTOS = replace(PICTURES, ink=False)
DOTS = View("dots", dots.pack, dots.paint)


def before(data: Tensor) -> View:
    """Points that move before those of data, (m, 2)."""
    return replace(DOTS, pack=partial(dots.pack, behind=data))


def texts(space: Tokens) -> View:
    """Of token sequences of a space."""
    return View("text", partial(text.pack, space), text.paint, ("txt", "gif"), files={"txt": text.file})


def molecules(space: Tokens | Graphs) -> View:
    """Of strings, or of graphs, as the molecules that they say."""
    files = {"smi": molecule.smiles_file, "sdf": molecule.sdf_file}
    pack = graph.pack if isinstance(space, Graphs) else molecule.pack
    return View("molecules", partial(pack, space), molecule.paint, ("png", *files), files=files)


def view_of(space: Space, ink: bool = True) -> View:
    """How elements of a space are looked at, pictures as ink where they are in grey and not said to be none; ValueError for a space that
    nobody can look at yet."""
    if isinstance(space, Pixels):
        return PICTURES if ink and space.channels == 1 else PHOTOS
    if isinstance(space, Smiles | Selfies | Graphs):
        return molecules(space)
    if isinstance(space, Tokens):
        return texts(space)
    if isinstance(space, Reals) and space.shape[-1:] == (2,):
        return DOTS
    raise ValueError(f"expected pictures, texts or points of the plane to look at, got {space}")


def over(packed: list[tuple[View, Packed]], at: int) -> np.ndarray:
    """One frame of several rows in one picture, below each other: uint8 (h, w), or (h, w, 3) where any is in colour."""
    pages = [image.enlarge(view.paint(each, at), view.enlarged) for view, each in packed]
    if any(page.ndim == 3 for page in pages):
        pages = [image.in_colour(page) for page in pages]
    width, planes, gap = max(page.shape[1] for page in pages), pages[0].shape[2:], 2 * max(view.enlarged for view, _ in packed)
    parts: list[np.ndarray] = []
    for page in pages:
        wide = [(0, 0), (0, width - page.shape[1]), *[(0, 0) for _ in planes]]
        parts += [np.pad(page, wide, constant_values=image.PAPER), np.full((gap, width, *planes), image.PAPER, np.uint8)]
    return np.concatenate(parts[:-1])
