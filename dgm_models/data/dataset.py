"""What a data set is to the house."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from dgm_models.conditions import Condition
from dgm_models.spaces import Space

ASSETS = Path(__file__).resolve().parents[2] / "assets"
Split = tuple[Tensor, Tensor]  # elements as they are stored (`space.read` makes x of them), and their conditions


class DataError(RuntimeError):
    """The data are not there, or are not what they should be; the message says how to get them."""


@dataclass(frozen=True)
class Dataset:
    """Elements x with their conditions y.

    train: what models learn from, fetched. test: all that is held out, to measure with. shown: what of the held-out part ships with the
    project, for pages. few: what of the training part ships. judge: the id of the model that reads y off x. hub: its name there.
    is_ink: elements are written, so that a person's own picture can be read as one. of: the id of the data set whose elements these are,
    written in another way.
    """

    id: str
    title: str
    noun: str  # for one element: "digit"
    space: Space
    condition: Condition
    judge: str
    hub: str
    licence: str
    source: str
    train: Callable[[], Split]
    test: Callable[[], Split]
    shown: Callable[[], Split]
    few: Callable[[], Split] | None = None
    is_ink: bool = False
    of: str = ""
