"""USPS (Hull, 1994): digits off envelopes, 16 x 16, with their labels; and together with MNIST's, cut and shrunk to the same size, two
hands between which to translate. 500 test digits ship with the project, all others are fetched."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models.conditions import Classes
from dgm_models.data import mnist
from dgm_models.data.dataset import ASSETS, DataError, Dataset, Split
from dgm_models.spaces import Pixels

HUB, FILE, SIDE, EDGE = "flwrlabs/usps", "digits_small/usps.npz", 16, 3
SHOWN = 500
SHA256 = {  # of pixels and labels
    "train": "e255863a9d6ef0d1b73268bc5a969a03ddfe6c51c511cd134ca175fd287adfe7",
    "test": "9f823bfb994fe19f0c763fbba7d59a05644bf4bfcb7049c4acf0e34c59cbe468",
    "shown": "13cb60c87cbc3216554b3ad86e4a5545c9660e7885aaa971015aeef6e719c88f",
}
HANDS = ("MNIST", "USPS")


@lru_cache(maxsize=2)
def load(part: str) -> Split:
    """ "train" or "test", from the folder that DGM_DATA names, else from the Hub: uint8 (n, 1, 16, 16), labels int64 (n,). DataError where
    it is not there or is not the original."""
    root = os.environ.get("DGM_DATA")
    return _verified(*(_from_folder(Path(root) / FILE, part) if root else _from_hub(part)), part)


def _from_folder(path: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path) as file:
            return file[f"x_{part}"], file[f"y_{part}"]
    except OSError as error:
        raise DataError(f"no USPS: {error}. Put {FILE} there, or unset DGM_DATA to take the Hub data set {HUB}") from error


def _from_hub(part: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        from datasets import load_dataset

        rows = load_dataset(HUB, split=part).with_format("numpy")
        return np.stack(rows["image"]).astype(np.uint8), np.asarray(rows["label"])
    except Exception as error:
        raise DataError(
            f"no USPS. Let the `datasets` library reach the Hub data set {HUB} (pip install -r requirements-dev.txt; a network is needed "
            f"once), or set DGM_DATA to a folder with {FILE}. It said: {type(error).__name__}: {error}"
        ) from error


def _verified(x: np.ndarray, y: np.ndarray, part: str) -> Split:
    x, y = np.ascontiguousarray(x.reshape(-1, 1, SIDE, SIDE)), y.astype(np.int64)
    found = hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()
    if found != SHA256[part]:
        raise DataError(f"the USPS {part} digits are not the original ones: sha256 {found[:16]}..., shape {x.shape}")
    return torch.from_numpy(x), torch.from_numpy(y)


@lru_cache(maxsize=1)
def shown() -> Split:
    """The first test digits, which ship: uint8 (500, 1, 16, 16), int64 (500,)."""
    with np.load(ASSETS / "data" / "usps.npz") as file:
        return _verified(file["x"], file["y"], "shown")


def smaller(x: Tensor) -> Tensor:
    """MNIST's digits (n, 1, 28, 28) in [0, 1] without their edge, nearly as large as USPS's, (n, 1, 16, 16)."""
    inner = x[..., EDGE:-EDGE, EDGE:-EDGE]
    return F.interpolate(inner, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True).clamp(0, 1)


def _hands(one: Split, other: Split) -> Split:
    """Digits of both hands, and whose each is."""
    shrunk = torch.cat([(255 * smaller(mnist.pixels(part))).round().to(torch.uint8) for part in one[0].split(5000)])
    return torch.cat([shrunk, other[0]]), torch.cat([torch.zeros(len(shrunk)), torch.ones(len(other[0]))]).long()


def _hands_train() -> Split:
    """As many of MNIST's as there are of USPS's."""
    other = load("train")
    x, y = mnist.train()
    return _hands((x[: len(other[0])], y), other)


def _hands_test() -> Split:
    other = load("test")
    x, y = mnist.test()
    return _hands((x[: len(other[0])], y), other)


@lru_cache(maxsize=1)
def _hands_shown() -> Split:
    x, y = mnist.test()
    return _hands((x[:SHOWN], y), shown())


DATA = Dataset(
    "usps",
    "USPS",
    "digit",
    Pixels(1, SIDE),
    mnist.LABELS,
    judge="reader-usps",
    hub=HUB,
    licence="none stated; redistributed everywhere for research and teaching",
    source="J. J. Hull: A database for handwritten text recognition research, 1994; as in The Elements of Statistical Learning",
    train=lambda: load("train"),
    test=lambda: load("test"),
    shown=shown,
)
BOTH = Dataset(
    "hands",
    "MNIST and USPS",
    "digit",
    Pixels(1, SIDE),
    Classes(HANDS),
    judge="reader-usps",
    hub=HUB,
    licence=DATA.licence,
    source=f"{mnist.DATA.source}; {DATA.source}",
    train=_hands_train,
    test=_hands_test,
    shown=_hands_shown,
)
