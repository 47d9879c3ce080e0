"""What a family of generative models promises: the nouns that every other module speaks in."""

from __future__ import annotations

import operator
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dgm_models.conditions import NOTHING, Condition
from dgm_models.door import VERBS, guarded
from dgm_models.spaces import Space

SEED_LIMIT = 2**32


class Noise:
    """One random stream a row: row i depends on seeds[i] and on what was drawn before, never on its neighbours."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = [check_seed(seed) for seed in seeds]
        if not self.seeds:
            raise ValueError("expected at least one seed, got none")
        self._rows = [torch.Generator().manual_seed(seed) for seed in self.seeds]

    @classmethod
    def of(cls, x: Tensor) -> Noise:
        """Streams seeded by each row's own numbers: for estimates that must not depend on the batch, nor share one draw."""
        rows = x.detach().float().flatten(1).contiguous().numpy()
        return cls([zlib.crc32(row.tobytes()) for row in rows])

    def __len__(self) -> int:
        return len(self.seeds)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal, (n, *shape)."""
        return torch.stack([torch.randn(shape, generator=row, dtype=torch.float32) for row in self._rows])

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on [0, 1), (n, *shape)."""
        return torch.stack([torch.rand(shape, generator=row, dtype=torch.float32) for row in self._rows])

    def choose(self, weights: Tensor) -> Tensor:
        """One index a row, with probability in proportion to weights (k,) or (n, k): (n,) int64."""
        weights = weights.expand(len(self), -1).double()
        cumulative = weights.cumsum(1) / weights.sum(1, keepdim=True)
        drawn = torch.searchsorted(cumulative, self.uniform(1).double())[:, 0]
        return drawn.clamp(max=weights.shape[1] - 1)


def check_seed(seed: Any) -> int:
    """An integer from 0 to 2^32 - 1, or a ValueError that says so."""
    try:
        number = int(seed) if isinstance(seed, float) and seed.is_integer() else operator.index(seed)
    except TypeError:
        number = -1
    if isinstance(seed, bool) or not 0 <= number < SEED_LIMIT:
        raise ValueError(f"Seed: expected a whole number from 0 to {SEED_LIMIT - 1}, got {str(seed)[:40]}")
    return number


class Frame(NamedTuple):
    """One moment of a film: what is on the canvas, one line about it, and the guess of the finished picture."""

    x: Tensor
    note: str
    guess: Tensor | None = None


@dataclass(frozen=True)
class Knob:
    """How one setting is shown and what it may be: a range of numbers, or a tuple of choices."""

    label: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    advanced: bool = False

    def check(self, value: Any, kind: type) -> Any:
        """The value in its type; raises ValueError with a sentence that says what is allowed."""
        if self.choices:
            if not isinstance(value, str) or value not in self.choices:
                raise ValueError(f"{self.label}: expected one of {', '.join(self.choices)}, got {str(value)[:40]!r}")
            return value
        number = "whole number" if kind is int else "number"
        span = f"{self.label}: expected a {number} from {self.low:g} to {self.high:g}, got {str(value)[:40]!r}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(span)
        if not self.low <= value <= self.high or (kind is int and value != int(value)):
            raise ValueError(span)
        return kind(value)


def knob(default: Any, label: str, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    """A field of a Settings class: its default, its label and its limits, declared once."""
    return field(default=default, metadata={"knob": Knob(label, low, high, **more)})


@dataclass(frozen=True)
class Settings:
    """The knobs of a sampler. Every value is checked when it is made, wherever it came from."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = each.metadata["knob"].check(getattr(self, each.name), type(each.default))
            object.__setattr__(self, each.name, value)

    @classmethod
    def knobs(cls) -> dict[str, tuple[Any, Knob]]:
        """Name -> (default, Knob), in the order of declaration."""
        return {each.name: (each.default, each.metadata["knob"]) for each in fields(cls)}


class Learner(nn.Module, ABC):
    """What the training loop trains: families, and the networks that judge or accompany them."""

    def players(self) -> dict[str, nn.Module]:
        """The parts that are trained against a loss of their own; most families are one player."""
        return {"model": self}

    space: Space
    teaches = 1  # how many lessons its training has
    descends = True  # on `loss`; else it learns by `fit`
    borrows: Mapping[str, str] = MappingProxyType({})  # names of parameters that are a teacher's, by prefix here and there

    def observe(self, x: Tensor) -> None:
        """See all data as they are stored, (n, *shape), before training."""
        return

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        """A line before each lesson, `teaches` of them, between which the steps are shared out; the model sets itself up for each, from a
        trained teacher where its recipe names one."""
        yield ""

    def age(self, share: float) -> None:
        """Told before each step of training which share of it, in [0, 1), is over; most families do not mind."""
        return

    def fit(self, x: Tensor, y: Tensor, *, steps: int, seed: int = 0) -> Iterator[tuple[int, float]]:
        """Where learning is no descent: its own steps on a CPU, as (step, loss). x: as stored, or of the space."""
        raise NotImplementedError(f"{type(self).__name__} descends on its loss")

    def finish(self, x: Tensor, y: Tensor) -> None:
        """See all data of the space once more, (n, *shape), after training."""
        return

    @abstractmethod
    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """A scalar to descend on, for a batch (n, *shape)."""


class Family(Learner):
    """A distribution p(x | y) with learned parameters, and the questions that one can put to it.

    Optional, by having them: `log_prob(x, y) -> (n,)` nats, with `evidence`; `encode(x, y) -> z` and
    `decode(z, y) -> x`; `restore(seen, measurement, noise, y, settings) -> Iterator[Frame]`.
    """

    Settings: type[Settings] = Settings
    Restoring: type[Settings] = Settings
    restores: tuple[type, ...] = ()
    quick: Mapping[str, int] = MappingProxyType({})  # arguments that make log_prob fast enough for a person who waits
    silent: str = ""  # why there is no log_prob, in words, where there is none
    binary: bool = False  # log_prob is of pixels that are on or off, not of their 8-bit levels
    evidence: str | None = None  # "exact" | "lower bound" | "estimate" | "unnormalised"
    condition: Condition = NOTHING
    code_dtype: torch.dtype = torch.float32  # of what `encode` returns and `decode` takes

    def __init_subclass__(cls, **options: Any) -> None:
        """Every verb stands behind the same door."""
        super().__init_subclass__(**options)
        for verb in VERBS:
            if verb in cls.__dict__:
                setattr(cls, verb, guarded(cls.__dict__[verb]))

    @abstractmethod
    def trace(self, noise: Noise, y: Tensor | None = None, settings: Settings | None = None) -> Iterator[Frame]:
        """The film of sampling: from pure chance to a finished batch (n, *shape)."""

    def sample(self, noise: Noise, y: Tensor | None = None, settings: Settings | None = None) -> Tensor:
        """The last frame of the film, (n, *shape)."""
        return last(self.trace(noise, y, settings)).x

    def check_measurement(self, seen: Tensor, measurement: Any, noise: Noise) -> None:
        """ValueError unless `seen` is what a measurement that this family undoes may leave of len(noise) elements of its space."""
        if not isinstance(measurement, self.restores):
            known = " or ".join(kind.words for kind in self.restores) or "none"
            raise ValueError(f"{type(self).__name__} undoes {known}: expected such a measurement, got {measurement!r}")
        try:
            most = measurement(torch.ones((len(noise), *self.space.shape)))
        except RuntimeError as error:
            raise ValueError(
                f"expected a measurement of pictures of {self.space.shape}, got {measurement!r}, which does not fit"
            ) from error
        if seen.shape != most.shape or not torch.isfinite(seen).all():
            raise ValueError(f"expected what was seen as finite numbers of shape {tuple(most.shape)}, got {tuple(seen.shape)}")
        self.space.check_seen(seen, most)

    def check_code(self, z: Tensor, shape: tuple[int, ...]) -> Tensor:
        """z itself, (n, *shape) and finite; else ValueError."""
        if tuple(z.shape[1:]) != shape or not torch.isfinite(z).all():
            raise ValueError(f"expected finite latents of shape (n, {', '.join(map(str, shape))}), got {tuple(z.shape)}")
        return z

    @property
    def classes(self) -> int:
        """How many labels there are, where conditions are labels; else 0."""
        return self.condition.count

    def labels(self, y: Tensor | None, n: int) -> Tensor:
        """n rows of what a network takes as a condition: of classes (n,) int64 in 0..classes, where `classes` means none."""
        return self.condition.check(y, n)

    def settled(self, y: Tensor | None, noise: Noise) -> Tensor:
        """`labels`, with one drawn evenly where none is given: (n,) int64; zeros where there are no classes."""
        y = self.labels(y, len(noise))
        if not self.classes:
            return torch.zeros_like(y)
        return torch.where(y == self.classes, noise.choose(torch.ones(self.classes)), y)


def last(frames: Iterator[Frame]) -> Frame:
    """The final frame of a film."""
    frame = None
    for frame in frames:  # noqa: B007
        pass
    if frame is None:
        raise ValueError("the film has no frames")
    return frame
