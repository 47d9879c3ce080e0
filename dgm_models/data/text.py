"""Texts that ship with the project, as windows of tokens."""

from __future__ import annotations

import gzip
import hashlib

import torch
from torch import Tensor

from dgm_models.data.dataset import ASSETS, DataError
from dgm_models.spaces import Tokens

HELD_OUT = 10  # the last of so many parts of a text is what no model learns from
STRIDE = 8  # tokens between two windows to learn from; those to measure with follow each other


def shipped(name: str, sha256: str) -> str:
    """A text of assets/data; DataError where it is not the original one."""
    text = gzip.decompress((ASSETS / "data" / f"{name}.txt.gz").read_bytes()).decode("utf-8")
    if hashlib.sha256(text.encode()).hexdigest() != sha256:
        raise DataError(f"the text assets/data/{name}.txt.gz is not the original one")
    return text


def parts(text: str) -> tuple[str, str]:
    """What models learn from, and the rest."""
    at = len(text) * (HELD_OUT - 1) // HELD_OUT
    return text[:at], text[at:]


def windows(texts: list[str], space: Tokens, stride: int = 0) -> tuple[Tensor, Tensor]:
    """Texts cut into windows as long as the space, `stride` tokens apart (0: as long as they are), none across two texts: int16
    (n, length), and no conditions, int64 (n,)."""
    tokens = [torch.tensor(space.split(text), dtype=torch.int16) for text in texts]
    x = torch.cat([each.unfold(0, space.length, stride or space.length) for each in tokens])
    return x, torch.full((len(x),), -1)


def ended(texts: list[str], space: Tokens) -> Tensor:
    """Texts that are shorter than the space is long, each with the end after it: int16 (n, length)."""
    rows = torch.full((len(texts), space.length), space.end, dtype=torch.int16)
    for row, text in zip(rows, texts, strict=True):
        tokens = space.split(text)
        row[: len(tokens)] = torch.tensor(tokens, dtype=torch.int16)
    return rows


def rejoined(x: Tensor, between: int, stride: int = STRIDE) -> Tensor:
    """The texts that `windows` cut so, one after another, with a token between two: (n, length) -> (m,). What was too short for a window is
    gone."""
    follows = (x[1:, :-stride] == x[:-1, stride:]).all(1)
    starts = [0, *((~follows).nonzero()[:, 0] + 1).tolist(), len(x)]
    parts: list[Tensor] = []
    for first, last in zip(starts[:-1], starts[1:], strict=True):
        parts += [x[first], x[first + 1 : last, -stride:].flatten(), x.new_tensor([between])]
    return torch.cat(parts[:-1])
