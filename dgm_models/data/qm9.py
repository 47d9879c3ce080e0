"""QM9 (Ramakrishnan et al., 2014): stable molecules of up to nine atoms of carbon, nitrogen, oxygen and fluorine, and their hydrogen, as
the SMILES strings that RDKit writes. They ship, sorted; what is held out was drawn from them by chance."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from dgm_models.conditions import Numbers
from dgm_models.data.dataset import Dataset, Split
from dgm_models.data.text import shipped
from dgm_models.modalities.molecule import PROPERTIES, properties
from dgm_models.spaces import Smiles

SHA256 = "ead1d996961e331d4d7f3f36da7d199f7a94fcf8ac8a2d94ce73cec11e2bc412"
HELD_OUT, SHOWN = 10_000, 1000
SPACE = Smiles(tuple("#()+-12345=CFHNO[]cno"), 32)
CONDITION = Numbers(PROPERTIES, ((-5.0, 4.5), (0.0, 140.0), (1.0, 9.0)))


@lru_cache(maxsize=1)
def _parts() -> tuple[list[str], list[str]]:
    """What models learn from, and what is held out."""
    known = shipped("qm9", SHA256).split()
    order = torch.randperm(len(known), generator=torch.Generator().manual_seed(0)).tolist()
    mixed = [known[at] for at in order]
    return mixed[HELD_OUT:], mixed[:HELD_OUT]


@lru_cache(maxsize=1)
def learned() -> frozenset[str]:
    """The molecules that models learned from."""
    return frozenset(_parts()[0])


def _split(strings: list[str]) -> Split:
    rows = torch.full((len(strings), SPACE.length), SPACE.end, dtype=torch.int16)
    for row, text in zip(rows, strings, strict=True):
        row[: len(text)] = torch.tensor(SPACE.split(text), dtype=torch.int16)
    return rows, torch.tensor([properties(text) for text in strings])


def train() -> tuple[Tensor, Tensor]:
    """int16 (120742, 32), and logP, polar surface, heavy atoms, float (120742, 3)."""
    return _split(_parts()[0])


@lru_cache(maxsize=1)
def test() -> tuple[Tensor, Tensor]:
    """int16 (10000, 32), float (10000, 3)."""
    return _split(_parts()[1])


@lru_cache(maxsize=1)
def shown() -> tuple[Tensor, Tensor]:
    """The first thousand that are held out."""
    return _split(_parts()[1][:SHOWN])


DATA = Dataset(
    "qm9",
    "QM9",
    "molecule",
    SPACE,
    CONDITION,
    judge="",
    hub="yairschiff/qm9",
    licence="commonly cited as CC0",
    source="R. Ramakrishnan, P. O. Dral, M. Rupp, O. A. von Lilienfeld: Quantum chemistry structures and properties, 2014",
    train=train,
    test=test,
    shown=shown,
)
