"""What people hold, such as pictures of 8-bit levels or a text, as elements of a model's space, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dgm_models.modalities import graph
from dgm_models.modalities.image import levels
from dgm_models.modalities.molecule import canonical, strings, to_selfies
from dgm_models.modalities.text import words
from dgm_models.spaces import Graphs, Pixels, Selfies, Space, Tokens


def read(space: Space, raw: Any) -> Tensor:
    """One element, or a list of them for a batch -> (n, *shape).

    Pictures are arrays (h, w) or (h, w, channels) of 8-bit levels or of numbers in [0, 1], or what numpy makes an array of, such as a
    picture of Pillow's; texts are strings; points are arrays of the space's shape. ValueError where one does not fit: nothing is
    stretched in silence.
    """
    items = raw if isinstance(raw, list | tuple) else [raw]
    if not items:
        raise ValueError("expected at least one element, got none")
    return space.check(torch.stack([_element(space, item) for item in items]))


def _element(space: Space, item: Any) -> Tensor:
    if isinstance(space, Graphs):
        return graph.read(space, _text(item))
    if isinstance(space, Tokens):
        return _tokens(space, item)
    try:
        array = np.array(item)
        x = torch.as_tensor(array if array.dtype == np.uint8 else array.astype(np.float32))
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected an array of numbers, got {type(item).__name__}") from error
    if isinstance(space, Pixels):
        x = x[..., None] if x.dim() == 2 else x
        x = x.movedim(-1, 0) if x.dim() == 3 else x
    if tuple(x.shape) != space.shape:
        raise ValueError(f"expected one element of shape {space.shape}, got an array of {tuple(np.shape(item))}")
    return space.read(x)


def _tokens(space: Tokens, text: Any) -> Tensor:
    """A string, token by token, and the end; of a molecule its SMILES string, however the space writes it."""
    tokens = space.split(_as_selfies(_text(text)) if isinstance(space, Selfies) else _text(text))
    if len(tokens) > space.length:
        raise ValueError(f"expected a text of at most {space.length} tokens, got {len(tokens)}")
    return torch.tensor(tokens + [space.end] * (space.length - len(tokens)))


def _as_selfies(smiles: str) -> str:
    if not (known := canonical(smiles)):
        raise ValueError(f"expected a SMILES string, got {smiles[:40]!r}")
    return to_selfies(known)


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"expected a text, got {type(raw).__name__}")
    return raw


def write(space: Space, x: Tensor) -> list[Any]:
    """(n, *shape) -> n elements as `read` takes them: pictures as 8-bit levels, (h, w) where they are grey, else (h, w, channels)."""
    space.check(x)
    if isinstance(space, Graphs):
        return graph.write(space, x)
    if isinstance(space, Selfies):
        return strings(space, x)
    if isinstance(space, Tokens):
        return words(space, x)
    if not isinstance(space, Pixels):
        return list(x.detach().numpy())
    pictures = levels(x).transpose(0, 2, 3, 1)
    return list(pictures[..., 0] if space.channels == 1 else pictures)
