"""CIFAR-10 (Krizhevsky, 2009): colour pictures of ten things, 32 x 32. Models learn from the first 40,000 training pictures; the first 500
test pictures ship with the project, all others are fetched."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dgm_models.conditions import Classes
from dgm_models.data.dataset import ASSETS, DataError, Dataset
from dgm_models.spaces import Pixels

HUB, FOLDER, SIDE = "uoft-cs/cifar10", "cifar10", 32
PARTS = {"train": (40_000, [f"train_{i}.webp" for i in (1, 2, 3, 4)]), "test": (10_000, ["test.webp"])}
SHA256 = {  # of pixels, picture by picture, and labels
    "train": "c532386a77d8f90dd7d3d762539d71d189f6bbdfc2ba6b2c527c6e6d5b59f7a8",
    "test": "2c33b053d1cd726af8d86e174a96dd89d7000ba1412add026d68142375b89d51",
    "shown": "3cf4f1dae40946da51d91d2ba53f56d70b0c346767c87550dcfe42060fc9dc6b",
}
NAMES = ("airplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@lru_cache(maxsize=2)
def load(part: str) -> tuple[Tensor, Tensor]:
    """ "train" or "test", from the folder that DGM_DATA names, else from the Hub: uint8 (n, 3, 32, 32) and labels int64 (n,). DataError
    where it is not there or is not the original."""
    root = os.environ.get("DGM_DATA")
    return _verified(*(_from_folder(Path(root) / FOLDER, part) if root else _from_hub(part)), part)


def _from_folder(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Sheets of 100 x 100 pictures, row by row, and their labels."""
    try:
        x = np.concatenate([_cut(folder / name) for name in PARTS[part][1]])
        with np.load(folder / "labels.npz") as file:
            return x, file[part][: len(x)]
    except OSError as error:
        raise DataError(f"no CIFAR-10 in {folder}: {error}. Put it there, or unset DGM_DATA to take the Hub data set {HUB}") from error


def _from_hub(part: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        from datasets import load_dataset

        rows = load_dataset(HUB, split=f"{part}[:{PARTS[part][0]}]").with_format("numpy")
        return np.stack(rows["img"]).astype(np.uint8), np.asarray(rows["label"])
    except Exception as error:
        raise DataError(
            f"no CIFAR-10. Let the `datasets` library reach the Hub data set {HUB} (pip install -r requirements-dev.txt; a network is "
            f"needed once), or set DGM_DATA to a folder with {FOLDER}/{PARTS[part][1][0]}. It said: {type(error).__name__}: {error}"
        ) from error


def _cut(path: Path) -> np.ndarray:
    sheet = np.asarray(Image.open(path).convert("RGB"))
    return sheet.reshape(len(sheet) // SIDE, SIDE, -1, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)


def _verified(x: np.ndarray, y: np.ndarray, part: str) -> tuple[Tensor, Tensor]:
    x, y = np.ascontiguousarray(x.transpose(0, 3, 1, 2)), y.astype(np.int64)
    found = hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()
    if found != SHA256[part]:
        raise DataError(f"the CIFAR-10 {part} pictures are not the original ones: sha256 {found[:16]}..., shape {x.shape}")
    return torch.from_numpy(x), torch.from_numpy(y)


def train() -> tuple[Tensor, Tensor]:
    """uint8 (40000, 3, 32, 32), int64 (40000,)."""
    return load("train")


def test() -> tuple[Tensor, Tensor]:
    """uint8 (10000, 3, 32, 32), int64 (10000,)."""
    return load("test")


@lru_cache(maxsize=1)
def shown() -> tuple[Tensor, Tensor]:
    """The first test pictures, which ship: uint8 (500, 3, 32, 32), int64 (500,)."""
    with np.load(ASSETS / "data" / "cifar-labels.npz") as file:
        return _verified(_cut(ASSETS / "data" / "cifar-test.webp"), file["y"], "shown")


DATA = Dataset(
    "cifar",
    "CIFAR-10",
    "picture",
    Pixels(3, SIDE),
    Classes(NAMES),
    judge="reader-cifar",
    hub=HUB,
    licence="none stated; redistributed everywhere for research and teaching",
    source="A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009",
    train=train,
    test=test,
    shown=shown,
)
