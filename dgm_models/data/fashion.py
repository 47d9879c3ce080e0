"""Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017): garments in the format of MNIST. The first 2,500 test pictures ship with the project, all
others are fetched."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from dgm_models.conditions import Classes
from dgm_models.data.dataset import ASSETS, DataError, Dataset
from dgm_models.data.idx import Idx
from dgm_models.spaces import Pixels

FILES = Idx(
    "Fashion-MNIST",
    "fashion_mnist",
    "zalando-datasets/fashion_mnist",
    {
        "train images": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        "train labels": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        "test images": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        "test labels": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    },
)
SHOWN, COUNT = "c9d4e0ad131bc5cbe4cb3fb00b419c1ef2141ac3b35e38bd38b9c224c1752281", 2500  # sha256 of their pixels and labels
NAMES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def train() -> tuple[Tensor, Tensor]:
    """The 60,000 training pictures: uint8 (60000, 1, 28, 28) and labels int64 (60000,); DataError where none are found."""
    return FILES.load("train")


@lru_cache(maxsize=1)
def test() -> tuple[Tensor, Tensor]:
    """The 10,000 test pictures, fetched in the same way."""
    return FILES.load("test")


@lru_cache(maxsize=1)
def shown() -> tuple[Tensor, Tensor]:
    """The first of the test pictures, which ship: uint8 (2500, 1, 28, 28), int64 (2500,)."""
    with np.load(ASSETS / "data" / "fashion-test.npz") as file:
        x, y = file["x"], file["y"]
    if hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest() != SHOWN:
        raise DataError("the Fashion-MNIST test pictures in assets/data are not the original ones")
    return torch.from_numpy(x.copy())[:, None], torch.from_numpy(y.astype(np.int64))


DATA = Dataset(
    "fashion",
    "Fashion-MNIST",
    "garment",
    Pixels(1, 28),
    Classes(NAMES),
    judge="reader-fashion",
    hub=FILES.hub,
    licence="MIT",
    source="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, Zalando Research, 2017",
    train=train,
    test=test,
    shown=shown,
)
