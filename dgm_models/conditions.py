"""What y is in p(x | y): nothing, one of some classes, numbers, words, or an element of another space.

A batch of conditions is a tensor with a row an element; `null` is the condition that stands for none, which networks know as well as any
other, so that a model can be asked without one and guided (Ho and Salimans, 2022).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models.spaces import Space


class Condition(ABC):
    """`count`: how many different conditions there are, where they can be counted; else 0."""

    count: int = 0

    @abstractmethod
    def check(self, y: Tensor | None, n: int) -> Tensor:
        """n rows of conditions that a network understands, null where y has none; ValueError for anything else."""

    @abstractmethod
    def null(self, n: int) -> Tensor:
        """n rows of no condition."""

    @abstractmethod
    def is_null(self, y: Tensor) -> Tensor:
        """Which rows of checked conditions are none, bool (n,)."""

    def drop(self, y: Tensor, share: float) -> Tensor:
        """Replace that share of the rows by none, by torch's own stream: for training."""
        gone = torch.rand(len(y), device=y.device) < share
        return torch.where(gone.view(-1, *[1] * (y.dim() - 1)), self.null(len(y)).to(y.device), y)

    def in_turn(self, n: int) -> Tensor:
        """n conditions, each that there is as often as any other; none where they cannot be counted."""
        return torch.arange(n) % self.count if self.count else self.null(n)


@dataclass(frozen=True)
class Classes(Condition):
    """One of some classes by its number: y int64 (n,); the number after the last stands for none, and so do None and -1.

    names: of the classes, or how many there are.
    """

    names: tuple[str, ...] | int = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(map(str, range(self.names) if isinstance(self.names, int) else self.names)))

    @property
    def count(self) -> int:
        return len(self.names)

    def null(self, n: int) -> Tensor:
        return torch.full((n,), self.count)

    def is_null(self, y: Tensor) -> Tensor:
        return y == self.count

    def check(self, y: Tensor | None, n: int) -> Tensor:
        if y is None:
            return self.null(n)
        y = torch.as_tensor(y)
        if y.shape != (n,) or y.dtype not in (torch.int64, torch.int32):
            raise ValueError(f"expected {n} integer labels, got {tuple(y.shape)} of {y.dtype}")
        if ((y < -1) | (y >= max(self.count, 1))).any():
            raise ValueError(f"expected labels from 0 to {self.count - 1}, or -1 for none, got {y.min()} to {y.max()}")
        return torch.where(y < 0, self.count, y.long())


class Carried(Condition):
    """Conditions that are numbers: a network takes them in the range of its signals, and beside them 1 where there is any, 0 for none."""

    def null(self, n: int) -> Tensor:
        return torch.zeros((n, *self.taken))

    def is_null(self, y: Tensor) -> Tensor:
        return (y[:, -1] == 0).flatten(1).all(1) if y.dim() > 2 else y[:, -1] == 0

    @property
    @abstractmethod
    def taken(self) -> tuple[int, ...]:
        """The shape of one checked condition."""


@dataclass(frozen=True)
class Numbers(Carried):
    """So many numbers with their names, each within its range: y float (n, len(names))."""

    names: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]

    @property
    def taken(self) -> tuple[int, ...]:
        return (len(self.names) + 1,)

    def check(self, y: Tensor | None, n: int) -> Tensor:
        """Ranges become [-1, 1]."""
        if y is None:
            return self.null(n)
        y = torch.as_tensor(y).float()
        low, high = torch.tensor(self.ranges, device=y.device).T
        if y.shape != (n, len(self.names)):
            raise ValueError(f"expected {n} rows of {', '.join(self.names)}, got {tuple(y.shape)}")
        outside = ~((y >= low) & (y <= high)).all(0)  # so that NaN lies outside too
        if outside.any():
            at = int(outside.nonzero()[0])
            raise ValueError(f"{self.names[at]}: expected a number from {low[at]:g} to {high[at]:g}")
        return torch.cat([(2 * y - low - high) / (high - low), y.new_ones(n, 1)], dim=1)


@dataclass(frozen=True)
class Described(Carried):
    """One of some classes and numbers beside it: y float (n, 1 + numbers), first the class by its number, -1 for none."""

    classes: Classes
    numbers: Numbers

    @property
    def taken(self) -> tuple[int, ...]:
        return (self.classes.count + len(self.numbers.names) + 1,)

    def check(self, y: Tensor | None, n: int) -> Tensor:
        """The class as 1 among 0, all 0 for none; then the numbers, their ranges become [-1, 1]."""
        if y is None:
            return self.null(n)
        y = torch.as_tensor(y).float()
        if y.shape != (n, 1 + len(self.numbers.names)):
            raise ValueError(f"expected {n} rows of a label and {', '.join(self.numbers.names)}, got {tuple(y.shape)}")
        if not (y[:, 0] == y[:, 0].round()).all():
            raise ValueError("expected labels as whole numbers")
        label = self.classes.check(y[:, 0].long(), n)
        return torch.cat([F.one_hot(label, self.classes.count + 1)[:, :-1].float(), self.numbers.check(y[:, 1:], n)], 1)


@dataclass(frozen=True)
class Given(Carried):
    """An element of another space, such as the grey picture of one in colour: y (n, *space.shape)."""

    space: Space

    @property
    def taken(self) -> tuple[int, ...]:
        return (self.space.shape[0] + 1, *self.space.shape[1:])

    def check(self, y: Tensor | None, n: int) -> Tensor:
        """As a signal, with one plane more that says that it is there."""
        if y is None:
            return self.null(n)
        y = self.space.check(torch.as_tensor(y).float())
        if len(y) != n:
            raise ValueError(f"expected {n} elements to go by, got {len(y)}")
        return torch.cat([self.space.to_signal(y), y.new_ones(n, 1, *y.shape[2:])], dim=1)


@dataclass(frozen=True)
class Beside(Carried):
    """An element of another space, and numbers beside it that need not be there: y float (n, space.size + numbers), not a number where none
    are. A network takes the numbers as planes, each of one of them everywhere, after those of the element."""

    given: Given
    numbers: Numbers

    @property
    def taken(self) -> tuple[int, ...]:
        first, *rest = self.given.taken
        return (first + self.numbers.taken[0], *rest)

    def join(self, x: Tensor, numbers: Tensor | None = None) -> Tensor:
        """y of elements (n, *space.shape) and of numbers (n, k), or of none."""
        none = torch.full((len(x), len(self.numbers.names)), torch.nan)
        return torch.cat([x.flatten(1), none if numbers is None else numbers], dim=1)

    def check(self, y: Tensor | None, n: int) -> Tensor:
        if y is None:
            return self.null(n)
        y, size = torch.as_tensor(y).float(), self.given.space.size
        if y.shape != (n, size + len(self.numbers.names)):
            raise ValueError(f"expected {n} rows of an element and {len(self.numbers.names)} numbers, got {tuple(y.shape)}")
        planes = self.given.check(y[:, :size].reshape(n, *self.given.space.shape), n)
        none = y[:, size:].isnan().all(1, keepdim=True)
        low = torch.tensor(self.numbers.ranges, device=y.device).T[0]
        told = self.numbers.check(torch.where(none, low, y[:, size:]), n).masked_fill(none, 0)
        return torch.cat([planes, told[(..., *[None] * (planes.dim() - 2))].expand(-1, -1, *planes.shape[2:])], dim=1)

    def is_null(self, y: Tensor) -> Tensor:
        return (y[:, self.given.taken[0] - 1] == 0).flatten(1).all(1)

    def drop(self, y: Tensor, share: float) -> Tensor:
        """Of half of the rows the numbers, and of that share of the rows all."""
        bare = y.clone()
        bare[:, self.given.taken[0] :] = 0
        gone = torch.rand(len(y), device=y.device) < 0.5
        return super().drop(torch.where(gone.view(-1, *[1] * (y.dim() - 1)), bare, y), share)


@dataclass(frozen=True)
class Attributes(Condition):
    """Several things that may be said of an element, each one of its own choices by number, or -1 where nothing is: y int64 (n, names)."""

    names: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...]

    def null(self, n: int) -> Tensor:
        return torch.full((n, len(self.names)), -1)

    def is_null(self, y: Tensor) -> Tensor:
        return (y == -1).all(1)

    def check(self, y: Tensor | None, n: int) -> Tensor:
        if y is None:
            return self.null(n)
        y = torch.as_tensor(y)
        if y.shape != (n, len(self.names)) or y.dtype != torch.int64:
            raise ValueError(f"expected {n} rows of {len(self.names)} choices by their numbers, got {tuple(y.shape)} of {y.dtype}")
        counts = torch.tensor([len(each) for each in self.choices], device=y.device)
        outside = ((y < -1) | (y >= counts)).any(0)
        if outside.any():
            at = int(outside.nonzero()[0])
            raise ValueError(f"{self.names[at]}: expected a number from 0 to {counts[at] - 1}, or -1 for nothing said")
        return y


@dataclass(frozen=True)
class Embedding(Carried):
    """A point of the unit sphere that stands for a text or a picture: y float (n, size). Where `below` is a space, a smaller picture beside
    it that is to be enlarged, flattened: y (n, below.size + size)."""

    size: int
    below: Space | None = None

    @property
    def taken(self) -> tuple[int, ...]:
        return ((0 if self.below is None else self.below.size) + self.size + 1,)

    def check(self, y: Tensor | None, n: int) -> Tensor:
        """The picture as a signal; then the point, its numbers of about unit variance, and 1."""
        if y is None:
            return self.null(n)
        y, pixels = torch.as_tensor(y).float(), self.taken[0] - self.size - 1
        if y.shape != (n, pixels + self.size) or not torch.isfinite(y).all():
            raise ValueError(f"expected {n} rows of {pixels + self.size} finite numbers, got {tuple(y.shape)}")
        point = y[:, pixels:]
        if ((point.norm(dim=1) - 1).abs() > 1e-2).any():
            raise ValueError("expected embeddings of length 1")
        given = y[:, :0] if self.below is None else self.below.to_signal(self.below.check(y[:, :pixels].view(n, *self.below.shape)))
        return torch.cat([given.flatten(1), point * self.size**0.5, y.new_ones(n, 1)], dim=1)


NOTHING = Classes()
