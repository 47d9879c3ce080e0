"""MNIST (LeCun, Cortes, Burges, 1998): the test digits ship with the project, the training digits are fetched.

The training digits come from the folder that DGM_DATA names (mnist/*.gz, the four original files), else from the Hub
data set `ylecun/mnist` through the `datasets` library. Either way their sha256 is verified.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from dgm_models.conditions import Classes, Described, Numbers
from dgm_models.data.dataset import ASSETS, DataError, Dataset
from dgm_models.data.idx import Idx
from dgm_models.modalities import strokes
from dgm_models.spaces import Pixels

# sha256 of the raw pixels and labels, in the original order
FILES = Idx(
    "MNIST",
    "mnist",
    "ylecun/mnist",
    {
        "train images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "train labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "test images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "test labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
)
BINARIZED = "9fcd8da6f0fdf09b2ba30fe63a0bb784042a0de82563172530229b983e294ff2"  # of the packed bits
LABELS = Classes(tuple("0123456789"))
SHAPE = Numbers(strokes.NAMES, ((-50.0, 50.0), (0.5, 6.0), (2.0, 22.0), (10.0, 20.0)))
SHAPED = 500
FEW = "86f6bc8235cd3bc8fbd279a44b3925670436e065f876be0df66366f6ef7d3f47"


@lru_cache(maxsize=1)
def test() -> tuple[Tensor, Tensor]:
    """The 10,000 test digits: uint8 (10000, 1, 28, 28) and labels int64 (10000,)."""
    return FILES.verified(*FILES.read(ASSETS, "test"), "test")


def train() -> tuple[Tensor, Tensor]:
    """The 60,000 training digits: uint8 (60000, 1, 28, 28) and labels int64 (60000,); DataError where none are found."""
    return FILES.load("train")


@lru_cache(maxsize=1)
def binarized_test() -> Tensor:
    """10,000 test digits in black and white, float (10000, 1, 28, 28) of 0 and 1: each grey pixel drawn once, on as often as it is
    bright, and kept so for all to measure with (Salakhutdinov and Murray, 2008; this copy by Larochelle). Sorted by label."""
    with np.load(ASSETS / "binarized-mnist-test.npz") as file:
        packed = file["test"]
    if hashlib.sha256(packed.tobytes()).hexdigest() != BINARIZED:
        raise DataError("the binarized test digits in assets are not the ones that the others measured with")
    return torch.from_numpy(np.unpackbits(packed, axis=1).reshape(-1, 1, 28, 28)).float()


def few() -> tuple[Tensor, Tensor]:
    """200 training digits, which ship with the project: the first 20 of each label, in turn: uint8 (200, 1, 28, 28), int64 (200,)."""
    with np.load(ASSETS / "few-mnist.npz") as file:
        digits = file["digits"]
    if hashlib.sha256(digits.tobytes()).hexdigest() != FEW:
        raise DataError("the 200 training digits in assets are not the ones that the others learned from")
    return torch.from_numpy(digits.reshape(-1, 1, 28, 28).copy()), torch.arange(len(digits)) % 10


def pixels(levels: Tensor) -> Tensor:
    """uint8 levels -> float32 in [0, 1]."""
    return levels.float() / 255


@lru_cache(maxsize=1)
def shaped_test() -> tuple[Tensor, Tensor]:
    """The test digits, and how each is written: its label and `strokes.NAMES`, float (10000, 5)."""
    return _described(*test())


@lru_cache(maxsize=1)
def shaped_shown() -> tuple[Tensor, Tensor]:
    """The first few hundred of them, for pages: it takes a moment to measure."""
    x, y = test()
    return _described(x[:SHAPED], y[:SHAPED])


def _described(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    low, high = torch.tensor(SHAPE.ranges).T
    return x, torch.cat([y[:, None].float(), torch.cat([strokes.measure(pixels(some)) for some in x.split(2000)]).clamp(low, high)], 1)


DATA = Dataset(
    "mnist",
    "MNIST",
    "digit",
    Pixels(1, 28),
    LABELS,
    judge="reader-mnist",
    hub=FILES.hub,
    licence="none stated; redistributed everywhere for research and teaching",
    source="Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits, 1998",
    train=train,
    test=test,
    shown=test,
    few=few,
    is_ink=True,
)
AS_WRITTEN = replace(
    DATA,
    id="mnist-shape",
    title="MNIST, as written",
    condition=Described(LABELS, SHAPE),
    train=lambda: _described(*train()),
    test=shaped_test,
    shown=shaped_shown,
    few=None,
    of=DATA.id,
)
