"""Where x lives: the shape of one element, what its numbers mean, and how they pass through a network. Families ask the space; they never
ask what kind it is."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from dgm_models.contracts import Noise

SPAN = 3.0  # models of levels cut the reals from -SPAN to SPAN into bins


class Space(ABC):
    """The shape of one element and what its numbers mean.

    `discrete`: x stands for levels, whose masses sum to 1; else log p(x) is a density. A network works on signals, scale * x + shift.
    """

    shape: tuple[int, ...]
    discrete: bool = False
    scale, shift = 1.0, 0.0
    unit = "coordinate"  # the word for one number of x
    dtype = torch.float32
    blank = 0  # what stands where nothing is made yet

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def check(self, x: Tensor) -> Tensor:
        """x itself, (n, *shape); raises ValueError for another shape, for what is not finite, for numbers outside the space."""
        if tuple(x.shape[1:]) != self.shape:
            one = ": one element needs a dimension more, x[None]" if tuple(x.shape) == self.shape else ""
            raise ValueError(f"expected a batch (n, {', '.join(map(str, self.shape))}), got {tuple(x.shape)}{one}")
        if not torch.isfinite(x).all():
            raise ValueError("expected finite values, got NaN or infinity")
        return x

    def read(self, x: Tensor) -> Tensor:
        """What a data set stores, (n, *shape), as float32 of this space."""
        return x.float()

    def to_signal(self, x: Tensor) -> Tensor:
        """The range that networks work in."""
        return self.scale * x + self.shift

    def from_signal(self, s: Tensor) -> Tensor:
        """The inverse of `to_signal`; not clamped, so that noise stays noise."""
        return (s - self.shift) / self.scale

    def measured_signal(self, seen: Tensor, ones: Tensor) -> Tensor:
        """What a linear measurement of the signal would be, from that of x and that of ones."""
        return self.scale * seen + self.shift * ones

    def check_seen(self, seen: Tensor, most: Tensor) -> Tensor:
        """`seen` itself; ValueError where no x could have been measured so. most: the measurement of ones."""
        return seen

    def clamp(self, x: Tensor) -> Tensor:
        """Within the limits of the space, where it has any."""
        return x

    def shown(self, z: Tensor) -> Tensor:
        """Standard normal numbers as elements that can be looked at, beside those of x."""
        return z.clamp(-SPAN, SPAN)

    @abstractmethod
    def to_levels(self, x: Tensor, levels: int) -> Tensor:
        """Which of so many levels each number has: int64 like x."""

    @abstractmethod
    def from_levels(self, level: Tensor, levels: int, within: Tensor | None = None) -> Tensor:
        """The numbers of levels, float like level; `within` in [0, 1) is the place in a bin, where levels are bins."""

    def place_in_level(self, x: Tensor, levels: int) -> Tensor:
        """Where in the bin of its level each number lies, double in (0, 1) like x; a level of its own has a middle alone."""
        return torch.full(x.shape, 0.5, dtype=torch.float64)

    def within(self, noise: Noise) -> Tensor | None:
        """A place in its bin for each number, (n, *shape) in [0, 1), where levels are bins."""
        return None

    def settled(self, logits: Tensor, before: Tensor) -> Tensor:
        """Logits (n, k, levels) of elements in their order, without what cannot follow the levels before them, (n, k), -1 at the start."""
        return logits

    def log_width(self, levels: int) -> float:
        """Log-volume of one cell of levels: 0 where levels have masses of their own."""
        return 0.0


@dataclass(frozen=True)
class Reals(Space):
    """Real coordinates, any number of them in any shape."""

    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))

    def to_levels(self, x: Tensor, levels: int) -> Tensor:
        return ((x / SPAN + 1) / 2 * levels - 0.5).round().long().clamp(0, levels - 1)

    def from_levels(self, level: Tensor, levels: int, within: Tensor | None = None) -> Tensor:
        return ((level + (0.5 if within is None else within)) / levels * 2 - 1) * SPAN

    def place_in_level(self, x: Tensor, levels: int) -> Tensor:
        return ((x.double() / SPAN + 1) / 2 * levels - self.to_levels(x, levels)).clamp(1e-6, 1 - 1e-6)

    def within(self, noise: Noise) -> Tensor:
        return noise.uniform(*self.shape)

    def log_width(self, levels: int) -> float:
        return self.size * math.log(2 * SPAN / levels)


class Lit(Space):
    """Numbers in [0, 1] that stand for levels, such as 8-bit ones, in a shape of channels and sides."""

    discrete = True
    scale, shift = 2.0, -1.0

    def check(self, x: Tensor) -> Tensor:
        if super().check(x).numel() and (x.min() < -1e-4 or x.max() > 1 + 1e-4):
            raise ValueError(f"expected {self.unit}s in [0, 1], got {x.min():.3g} to {x.max():.3g}")
        return x

    def read(self, x: Tensor) -> Tensor:
        """8-bit levels as numbers in [0, 1]; yes and no as 1 and 0; floats as they are."""
        return x.float() / 255 if x.dtype == torch.uint8 else x.float()

    def check_seen(self, seen: Tensor, most: Tensor) -> Tensor:
        if ((seen < -1e-3) | (seen > most + 1e-3)).any():
            got = f"{seen.min():.3g} to {seen.max():.3g}"
            raise ValueError(f"expected what was seen of {self.unit}s in [0, 1], with 0 where they are hidden, got {got}")
        return seen

    def clamp(self, x: Tensor) -> Tensor:
        return x.clamp(0, 1)

    def shown(self, z: Tensor) -> Tensor:
        """As grey, noise is its own distribution function."""
        return torch.special.ndtr(z)

    def to_levels(self, x: Tensor, levels: int) -> Tensor:
        return (x * (levels - 1)).round().long().clamp(0, levels - 1)

    def from_levels(self, level: Tensor, levels: int, within: Tensor | None = None) -> Tensor:
        return level.float() / (levels - 1)


@dataclass(frozen=True)
class Pixels(Lit):
    """Pictures, (channels, height, width) in [0, 1], whose numbers stand for 8-bit levels; as high as wide unless a width is given."""

    channels: int
    height: int
    width: int = 0

    unit = "pixel"

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", self.width or self.height)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    @property
    def side(self) -> int:
        """Of a square; ValueError for another picture."""
        if self.height != self.width:
            raise ValueError(f"expected pictures as high as wide, got {self.height} x {self.width}")
        return self.height


@dataclass(frozen=True)
class Grid(Lit):
    """Solids: cells in [0, 1], empty to full, of as many sides as are given; (1, *sides)."""

    sides: tuple[int, ...]

    unit = "cell"

    def __post_init__(self) -> None:
        object.__setattr__(self, "sides", tuple(self.sides))

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, *self.sides)


@dataclass(frozen=True)
class Tokens(Space):
    """Texts of at most `length` tokens of an alphabet: int64 (n, length), where the number after the last of the alphabet is the end, and
    nothing but the end follows it. merges: pairs of tokens that become one, in their order (byte pairs: Sennrich et al., 2016); without
    any, a token is a letter."""

    alphabet: tuple[str, ...]
    length: int
    merges: tuple[tuple[str, str], ...] = ()

    discrete = True
    unit = "token"
    dtype = torch.int64

    def __post_init__(self) -> None:
        object.__setattr__(self, "alphabet", tuple(self.alphabet))

    @property
    def shape(self) -> tuple[int]:
        return (self.length,)

    @property
    def letters(self) -> tuple[str, ...]:
        """What texts may be spelt with."""
        return tuple(token for token in self.alphabet if len(token) == 1)

    def split(self, text: str) -> list[int]:
        """The tokens of a text of any length. ValueError names letters that are not in the alphabet."""
        if strange := sorted(set(text) - set(self.letters)):
            raise ValueError(f"expected letters of {''.join(self.letters)}, got {', '.join(map(repr, strange[:8]))}")
        if self.merges:
            return _merger(self).encode(text).ids
        place = {token: at for at, token in enumerate(self.alphabet)}
        return [place[letter] for letter in text]

    @property
    def end(self) -> int:
        return len(self.alphabet)

    @property
    def blank(self) -> int:
        return self.end

    def check(self, x: Tensor) -> Tensor:
        super().check(x)
        if x.dtype != torch.int64 or ((x < 0) | (x > self.end)).any():
            raise ValueError(f"expected tokens as whole numbers from 0 to {self.end}, where {self.end} is the end")
        if ((x[:, :-1] == self.end) & (x[:, 1:] != self.end)).any():
            raise ValueError("expected nothing but the end after the end")
        return x

    def read(self, x: Tensor) -> Tensor:
        return x.long()

    def to_signal(self, x: Tensor) -> Tensor:
        raise ValueError("tokens are no numbers that noise could be added to: expected a family of levels, such as the autoregressive one")

    def to_levels(self, x: Tensor, levels: int) -> Tensor:
        return x.long()

    def from_levels(self, level: Tensor, levels: int, within: Tensor | None = None) -> Tensor:
        return level.clone()

    def settled(self, logits: Tensor, before: Tensor) -> Tensor:
        """After the end comes the end."""
        only = torch.full_like(logits, -torch.inf)
        only[..., self.end] = 0
        return torch.where((before == self.end)[..., None], only, logits)


@dataclass(frozen=True)
class Smiles(Tokens):
    """Molecules as SMILES strings (Weininger, 1988), letter by letter."""


@dataclass(frozen=True)
class Selfies(Tokens):
    """Molecules as SELFIES (Krenn et al., 2020): every sequence of these tokens, each in brackets, is one."""

    def split(self, text: str) -> list[int]:
        place = {token: at for at, token in enumerate(self.alphabet)}
        found = re.findall(r"\[[^\]]*\]", text)
        if strange := sorted({token for token in found if token not in place}) or ([text] if "".join(found) != text else []):
            raise ValueError(f"expected tokens of {''.join(self.alphabet)}, got {', '.join(map(repr, strange[:8]))}")
        return [place[token] for token in found]


@dataclass(frozen=True)
class Graphs(Space):
    """Graphs of at most `atoms` atoms: int64 (n, atoms + pairs of them). First the element of each atom, by its number from 1 on, 0 where
    there is no atom; then the order of the bond of each pair, (0, 1), (0, 2) .. (1, 2) .., 0 where there is none. valences: the most
    bonds that an atom of each element takes, a double bond counted twice."""

    elements: tuple[str, ...]
    valences: tuple[int, ...]
    atoms: int
    bonds: int = 3

    discrete = True
    unit = "atom or bond"
    dtype = torch.int64

    def __post_init__(self) -> None:
        object.__setattr__(self, "elements", tuple(self.elements))
        object.__setattr__(self, "valences", tuple(self.valences))

    @property
    def shape(self) -> tuple[int]:
        return (self.atoms + self.atoms * (self.atoms - 1) // 2,)

    @property
    def pairs(self) -> Tensor:
        """The two atoms of each pair, (2, pairs)."""
        return torch.triu_indices(self.atoms, self.atoms, 1)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Elements (n, atoms), and the orders of bonds, symmetric (n, atoms, atoms)."""
        bonds, (one, other) = x.new_zeros(len(x), self.atoms, self.atoms), self.pairs.to(x.device)
        bonds[:, one, other] = bonds[:, other, one] = x[:, self.atoms :]
        return x[:, : self.atoms], bonds

    def join(self, elements: Tensor, bonds: Tensor) -> Tensor:
        """The inverse of `split`."""
        one, other = self.pairs.to(bonds.device)
        return torch.cat([elements, bonds[:, one, other]], 1)

    def check(self, x: Tensor) -> Tensor:
        super().check(x)
        elements, bonds = x[:, : self.atoms], x[:, self.atoms :]
        if x.dtype != torch.int64 or (x < 0).any() or (elements > len(self.elements)).any() or (bonds > self.bonds).any():
            raise ValueError(f"expected elements from 0 to {len(self.elements)} and bonds from 0 to {self.bonds}, as whole numbers")
        one, other = self.pairs
        if ((bonds > 0) & ((elements[:, one] == 0) | (elements[:, other] == 0))).any():
            raise ValueError("expected bonds only where there are atoms")
        return x

    def read(self, x: Tensor) -> Tensor:
        return x.long()

    def to_signal(self, x: Tensor) -> Tensor:
        raise ValueError("graphs are no numbers that noise could be added to: expected a family that knows their elements and bonds")

    def to_levels(self, x: Tensor, levels: int) -> Tensor:
        return x.long()

    def from_levels(self, level: Tensor, levels: int, within: Tensor | None = None) -> Tensor:
        return level.clone()


def word_splitter() -> Any:
    """What `tokenizers` parts a text with before it merges pairs: words with the blank before them, signs, and other white space."""
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Split(Regex(r" ?\w+| ?[^\w\s]+|\s"), "isolated")


@lru_cache(maxsize=4)
def _merger(space: Tokens) -> Any:
    from tokenizers import Tokenizer, models

    merger = Tokenizer(models.BPE({token: at for at, token in enumerate(space.alphabet)}, list(space.merges)))
    merger.pre_tokenizer = word_splitter()
    return merger
