"""MNIST (LeCun, Cortes, Burges, 1998): the test digits ship with the project, the training digits are fetched.

The training digits come from the folder that DGM_DATA names (mnist/*.gz, the four original files), else from the Hub
data set `ylecun/mnist` through the `datasets` library. Either way their sha256 is verified.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

ASSETS = Path(__file__).resolve().parents[2] / "assets"
HUB_DATASET = "ylecun/mnist"

# sha256 of the raw pixels and labels, in the original order
CHECKSUMS = {
    "train images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "train labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "test images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "test labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    "binarized test": "9fcd8da6f0fdf09b2ba30fe63a0bb784042a0de82563172530229b983e294ff2",  # of the packed bits
    "few": "86f6bc8235cd3bc8fbd279a44b3925670436e065f876be0df66366f6ef7d3f47",
}


class DataError(RuntimeError):
    """The data are not there, or are not what they should be; the message says how to get them."""


@lru_cache(maxsize=1)
def test() -> tuple[Tensor, Tensor]:
    """The 10,000 test digits: uint8 (10000, 1, 28, 28) and labels int64 (10000,)."""
    return _tensors(*_read_idx(ASSETS, "t10k"), split="test")


def train() -> tuple[Tensor, Tensor]:
    """The 60,000 training digits: uint8 (60000, 1, 28, 28) and labels int64 (60000,); DataError where none are found."""
    folder = os.environ.get("DGM_DATA")
    if folder:
        where = Path(folder) / "mnist"
        for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
            if not (where / name).is_file():
                raise DataError(
                    f"no training digits: DGM_DATA is {folder}, but {where}/{name} is missing. Put it there, or "
                    f"unset DGM_DATA to take the Hub data set {HUB_DATASET}"
                )
        return _tensors(*_read_idx(where, "train"), split="train")
    return _tensors(*_from_hub(), split="train")


@lru_cache(maxsize=1)
def binarized_test() -> Tensor:
    """10,000 test digits in black and white, float (10000, 1, 28, 28) of 0 and 1: each grey pixel drawn once, on as often as it is
    bright, and kept so for all to measure with (Salakhutdinov and Murray, 2008; this copy by Larochelle). Sorted by label."""
    with np.load(ASSETS / "binarized-mnist-test.npz") as file:
        packed = file["test"]
    if hashlib.sha256(packed.tobytes()).hexdigest() != CHECKSUMS["binarized test"]:
        raise DataError("the binarized test digits in assets are not the ones that the others measured with")
    return torch.from_numpy(np.unpackbits(packed, axis=1).reshape(-1, 1, 28, 28)).float()


def few() -> tuple[Tensor, Tensor]:
    """200 training digits, which ship with the project: the first 20 of each label, in turn: uint8 (200, 1, 28, 28), int64 (200,)."""
    with np.load(ASSETS / "few-mnist.npz") as file:
        digits = file["digits"]
    if hashlib.sha256(digits.tobytes()).hexdigest() != CHECKSUMS["few"]:
        raise DataError("the 200 training digits in assets are not the ones that the others learned from")
    return torch.from_numpy(digits.reshape(-1, 1, 28, 28).copy()), torch.arange(len(digits)) % 10


def pixels(levels: Tensor) -> Tensor:
    """uint8 levels -> float32 in [0, 1]."""
    return levels.float() / 255


def _read_idx(folder: Path, prefix: str) -> tuple[np.ndarray, np.ndarray]:
    def read(name: str) -> np.ndarray:
        try:
            raw = gzip.decompress((folder / name).read_bytes())
            dimensions = raw[3]
            shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
            return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
        except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
            raise DataError(f"{folder / name}: expected the original MNIST file, but {type(error).__name__}: {error}") from error

    return read(f"{prefix}-images-idx3-ubyte.gz"), read(f"{prefix}-labels-idx1-ubyte.gz")


def _from_hub() -> tuple[np.ndarray, np.ndarray]:
    try:
        from datasets import load_dataset

        rows = load_dataset(HUB_DATASET, split="train").with_format("numpy")
        return np.stack(rows["image"]).astype(np.uint8), np.asarray(rows["label"], np.uint8)
    except Exception as error:
        raise DataError(
            "no training digits. Either set DGM_DATA to a folder that holds mnist/train-images-idx3-ubyte.gz and "
            f"mnist/train-labels-idx1-ubyte.gz, or let the `datasets` library reach the Hub data set {HUB_DATASET} "
            f"(pip install -r requirements-dev.txt; a network is needed once). It said: {type(error).__name__}: {error}"
        ) from error


def _tensors(images: np.ndarray, labels: np.ndarray, split: str) -> tuple[Tensor, Tensor]:
    for what, array in (("images", images), ("labels", labels)):
        found = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
        if found != CHECKSUMS[f"{split} {what}"]:
            raise DataError(f"the MNIST {split} {what} are not the original ones: sha256 {found[:16]}..., shape {array.shape}")
    return torch.from_numpy(images.copy())[:, None], torch.from_numpy(labels.astype(np.int64))
