"""Photographs: 37 with free licences to learn from, in tiles, and nine that super-resolution is measured with, which ship (Set5 and four of
Set14)."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dgm_models.conditions import NOTHING
from dgm_models.data.dataset import ASSETS, DataError, Dataset, Split
from dgm_models.spaces import Pixels

FOLDER, SIDE, STRIDE = "photos", 64, 32
SIZES = (1.0, 0.75, 0.5)  # of a photograph, of each of which tiles are cut: smaller ones are sharper
SHA256 = "bfed5fa10171569627e15a98c6e464b98889437a08889357f5dff7800f1674f8"  # of their files, by name
SET5 = ("baby", "bird", "butterfly", "head", "woman")
SET14 = ("bridge", "comic", "flowers", "zebra")


def train() -> Split:
    """Tiles of the 37 photographs: uint8 (n, 3, 64, 64); no conditions, int64 (n,). DataError where they are not there."""
    root = os.environ.get("DGM_DATA")
    folder = Path(root or "") / FOLDER / "free"
    paths = sorted(folder.glob("*.jpg"), key=lambda path: path.name) if root else []
    if len(paths) != 37:
        raise DataError(
            f"no photographs. Set DGM_DATA to a folder with {FOLDER}/free/*.jpg: the 37 that assets/data/photos/LICENSES.tsv names, of the "
            f"Debian packages that it names, each resized to a long side of 512; got {len(paths)} of them"
        )
    found = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    if found != SHA256:
        raise DataError(f"the photographs in {folder} are not the ones that others learned from: sha256 {found[:16]}...")
    tiles = torch.cat([cut(read(path, size)) for path in paths for size in SIZES])
    return tiles, torch.zeros(len(tiles), dtype=torch.int64)


def read(path: Path, size: float = 1.0) -> Tensor:
    """A photograph, or at a part of its size: uint8 (3, h, w)."""
    photo = Image.open(path).convert("RGB")
    if size != 1:
        photo = photo.resize((round(photo.width * size), round(photo.height * size)), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(photo)).permute(2, 0, 1).contiguous()


def cut(photo: Tensor, side: int = SIDE, stride: int = STRIDE) -> Tensor:
    """All tiles of a picture (c, h, w), a stride apart: (n, c, side, side)."""
    return photo.unfold(1, side, stride).unfold(2, side, stride).permute(1, 2, 0, 3, 4).flatten(0, 1).contiguous()


@lru_cache(maxsize=1)
def held_out() -> dict[str, Tensor]:
    """The photographs that nothing learned from, by their names, those of Set5 first: uint8 (3, h, w), sides divisible by 4."""
    return {name: read(ASSETS / "data" / "photos" / f"{name}.webp") for name in (*SET5, *SET14)}


@lru_cache(maxsize=1)
def test() -> Split:
    """Tiles of those, which do not overlap."""
    tiles = torch.cat([cut(photo, stride=SIDE) for photo in held_out().values()])
    return tiles, torch.zeros(len(tiles), dtype=torch.int64)


DATA = Dataset(
    "photos",
    "Photographs",
    "tile",
    Pixels(3, SIDE),
    NOTHING,
    judge="reader-cifar",
    hub="",
    licence="each its own, in assets/data/photos/LICENSES.tsv: CC0, CC BY, CC BY-SA, GPL, LGPL; of those measured with none is stated",
    source="37 photographs from Debian's packages of wallpapers; Set5 (Bevilacqua et al., 2012) and Set14 (Zeyde et al., 2010)",
    train=train,
    test=test,
    shown=test,
)
