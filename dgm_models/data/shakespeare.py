"""Tiny Shakespeare (Karpathy, 2015): a million letters of plays, which ship. Models learn from the first nine tenths."""

from __future__ import annotations

from functools import lru_cache

from torch import Tensor

from dgm_models.conditions import NOTHING
from dgm_models.data.dataset import Dataset
from dgm_models.data.text import STRIDE, parts, shipped, windows
from dgm_models.spaces import Tokens

SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
ALPHABET = tuple("\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
SPACE = Tokens(ALPHABET, 192)


def text() -> tuple[str, str]:
    """What models learn from, and the rest."""
    return parts(shipped("shakespeare", SHA256))


def train() -> tuple[Tensor, Tensor]:
    """Windows of 192 letters, 8 apart: int16 (125458, 192), int64 (125458,) of no conditions."""
    return windows([text()[0]], SPACE, STRIDE)


@lru_cache(maxsize=1)
def test() -> tuple[Tensor, Tensor]:
    """The windows of the last tenth, one after the other: int16 (580, 192), int64 (580,)."""
    return windows([text()[1]], SPACE)


DATA = Dataset(
    "shakespeare",
    "Tiny Shakespeare",
    "window",
    SPACE,
    NOTHING,
    judge="",
    hub="karpathy/tiny_shakespeare",
    licence="public domain",
    source="W. Shakespeare, plays; selection by A. Karpathy: The Unreasonable Effectiveness of Recurrent Neural Networks, 2015",
    train=train,
    test=test,
    shown=test,
)
