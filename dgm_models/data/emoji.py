"""The same 1,911 emoji in two drawing styles, Google's Noto and Twitter's Twemoji, on white, 32 x 32. Models are told of each picture only
which style it is drawn in; every eighth emoji is held out in both, and ships, so that translations can be held against true pairs."""

from __future__ import annotations

import csv
import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dgm_models.conditions import Classes
from dgm_models.data.dataset import ASSETS, DataError, Dataset, Split
from dgm_models.measurements import Shrink
from dgm_models.spaces import Pixels

FOLDER, COUNT, SIDE, LARGE = "emoji", 1911, 32, 64
STYLES = {"Noto": "noto64.webp", "Twemoji": "twemoji64.webp"}
EACH = 8  # one of so many is held out
SHA256 = {  # of pixels, a style after the other, picture by picture
    "train": "ff809286ad714c25d88e494cb5ae104c43aabb66115e6eda6c44aabe215c4730",
    "test": "3b1c6f5fcc2545b17af5623bcd0b6be0d4b6aa9624efe366557a30385181c197",
}


def _pairs() -> Tensor:
    """All of them in both styles, from the folder that DGM_DATA names: uint8 (2, COUNT, 3, SIDE, SIDE). DataError where they are not
    there."""
    root = os.environ.get("DGM_DATA")
    try:
        if not root:
            raise FileNotFoundError("DGM_DATA is not set")
        return torch.stack([_small(_cut(Path(root) / FOLDER / name, LARGE)[:COUNT]) for name in STYLES.values()])
    except OSError as error:
        raise DataError(
            f"no emoji: {error}. Set DGM_DATA to a folder with {FOLDER}/{' and '.join(STYLES.values())}: sheets of 64 x 64 pictures on "
            "white, 50 a row, of the npm packages emoji-datasource-google and emoji-datasource-twitter 16.0.0"
        ) from error


def _cut(path: Path, side: int) -> Tensor:
    sheet = np.asarray(Image.open(path).convert("RGB"))
    x = sheet.reshape(len(sheet) // side, side, -1, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def _small(x: Tensor) -> Tensor:
    return Shrink(LARGE // SIDE)(x.float()).round().to(torch.uint8)


def _verified(pairs: Tensor, part: str) -> Split:
    found = hashlib.sha256(pairs.numpy().tobytes()).hexdigest()
    if found != SHA256[part]:
        raise DataError(f"the {part} emoji are not those that others learned from: sha256 {found[:16]}..., shape {tuple(pairs.shape)}")
    return pairs.flatten(0, 1), torch.arange(len(STYLES)).repeat_interleave(pairs.shape[1])


@lru_cache(maxsize=1)
def train() -> Split:
    """Those that are not held out, of one style and then of the other: uint8 (3344, 3, 32, 32), the style int64 (3344,)."""
    return _verified(_pairs()[:, torch.arange(COUNT) % EACH != 0], "train")


@lru_cache(maxsize=1)
def test() -> Split:
    """The held-out ones, which ship, of one style and then of the other in the same order: uint8 (478, 3, 32, 32), int64 (478,)."""
    x = _cut(ASSETS / "data" / "emoji.webp", SIDE)
    return _verified(x.unflatten(0, (len(STYLES), -1)), "test")


@lru_cache(maxsize=1)
def names() -> list[str]:
    """Of the held-out ones, in their order."""
    with (ASSETS / "data" / "emoji.tsv").open(encoding="utf-8") as file:
        return [row["name"].lower() for row in csv.DictReader(file, delimiter="\t")]


DATA = Dataset(
    "emoji",
    "Emoji in two styles",
    "emoji",
    Pixels(3, SIDE),
    Classes(tuple(STYLES)),
    judge="reader-emoji",
    hub="",
    licence="Noto: Apache 2.0; Twemoji: CC BY 4.0",
    source="Google's Noto Emoji and Twitter's Twemoji, from emoji-datasource 16.0.0",
    train=train,
    test=test,
    shown=test,
)
