"""Pictures with captions: scenes of real digits and simple shapes, drawn here, and pixel avatars. Some combinations of attributes are held
out: no stage of text to image has seen a picture or a caption of them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import torch

from dgm_models.conditions import Attributes
from dgm_models.data import avatars, mnist
from dgm_models.data.dataset import Dataset, Split
from dgm_models.modalities import avatar, caption, scene
from dgm_models.modalities.caption import is_held_out
from dgm_models.spaces import Pixels

SIDE = scene.SIDE
SCENES, HELD_OUT, SHOWN = 40_000, 1_000, 300
PART = 1_000  # scenes that are drawn at once


def _scenes(digits: Split, count: int, seed: int, held_out: bool | None) -> Split:
    """So many scenes of those digits, in combinations that are held out, in those that are not, or in any."""
    stream = torch.Generator().manual_seed(seed)
    at = torch.randint(0, len(digits[0]), (8 * count if held_out else 2 * count,), generator=stream)
    rows = torch.full((len(at), len(caption.NAMES)), caption.UNSAID)
    rows[:, 0] = tuple(caption.KINDS).index("scene")
    places = list(caption.OF["scene"])
    for place, choices in zip(places, scene.ATTRIBUTES.values(), strict=True):
        rows[:, place] = torch.randint(0, len(choices), (len(at),), generator=stream)
    rows[:, places[0]] = digits[1][at]
    fits = (torch.ones(len(rows)) if held_out is None else is_held_out(rows) == held_out).nonzero()[:count, 0]
    at, rows, stored = at[fits], rows[fits], []
    for part, wish in zip(at.split(PART), rows[:, places].split(PART), strict=True):
        stored.append((255 * scene.draw(mnist.pixels(digits[0][part]), wish, stream)).round().to(torch.uint8))
    return torch.cat(stored), rows


def _faces(told: Split) -> Split:
    x, said = told
    rows = torch.full((len(x), len(caption.NAMES)), caption.UNSAID)
    rows[:, 0] = tuple(caption.KINDS).index("face")
    rows[:, list(caption.OF["face"])] = said
    return avatar.enlarged(x, SIDE), rows


def _both(scenes: Split, faces: Split) -> Split:
    return torch.cat([scenes[0], faces[0]]), torch.cat([scenes[1], faces[1]])


def train() -> Split:
    """40,000 scenes and the 11,000 faces, less what is held out: uint8 (n, 3, 64, 64), int64 (n, caption.NAMES)."""
    x, rows = _faces(avatars.told_train())
    kept = ~is_held_out(rows)
    return _both(_scenes(mnist.train(), SCENES, 0, held_out=False), (x[kept], rows[kept]))


def train_judge() -> Split:
    """As many in every combination, for whoever judges the others: one that never saw a red three would not believe it."""
    return _both(_scenes(mnist.train(), SCENES, 3, held_out=None), _faces(avatars.told_train()))


@lru_cache(maxsize=1)
def test() -> Split:
    """1,000 scenes of test digits in combinations that are held out, and the 1,000 faces that are, in whichever combination."""
    return _both(_scenes(mnist.test(), HELD_OUT, 1, held_out=True), _faces(avatars.told_test()))


@lru_cache(maxsize=1)
def shown() -> Split:
    """For pages: some scenes of test digits in combinations that models know, and as many of the held-out faces."""
    faces = _faces(avatars.told_test())
    return _both(_scenes(mnist.test(), SHOWN, 2, held_out=False), (faces[0][:SHOWN], faces[1][:SHOWN]))


DATA = Dataset(
    "captions",
    "Scenes and faces with captions",
    "picture",
    Pixels(3, SIDE),
    Attributes(caption.NAMES, tuple(caption.ATTRIBUTES.values())),
    judge="reader-captions",
    hub="",
    licence="scenes: as MNIST's; faces: CC0 1.0",
    source="scenes of MNIST's digits and simple shapes, drawn by `modalities.scene`; pixel avatars",
    train=train,
    test=test,
    shown=shown,
)
WHOLE = replace(DATA, id="captions-whole", title="Scenes and faces in all combinations", train=train_judge, of=DATA.id)
