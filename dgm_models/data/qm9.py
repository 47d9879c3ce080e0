"""QM9 (Ramakrishnan et al., 2014): stable molecules of up to nine atoms of carbon, nitrogen, oxygen and fluorine, and their hydrogen, as
the SMILES strings that RDKit writes. They ship, sorted; what is held out was drawn from them by chance.

Three ways to write them are three data sets: as SMILES, as SELFIES, as graphs; the last two without those that carry charges."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

import torch

from dgm_models.conditions import NOTHING, Condition, Numbers
from dgm_models.data.dataset import Dataset, Split
from dgm_models.data.text import ended, shipped
from dgm_models.modalities import graph
from dgm_models.modalities.molecule import GOALS, PROPERTIES, goals, properties, to_selfies
from dgm_models.spaces import Graphs, Selfies, Smiles, Space

SHA256 = "ead1d996961e331d4d7f3f36da7d199f7a94fcf8ac8a2d94ce73cec11e2bc412"
HELD_OUT, SHOWN, GRAPHS_LEARNED = 10_000, 1000, 20_000
SPACE = Smiles(tuple("#()+-12345=CFHNO[]cno"), 32)
CONDITION = Numbers(PROPERTIES, ((-5.0, 4.5), (0.0, 140.0), (1.0, 9.0)))

SELFIES = Selfies(
    ("[C]", "[O]", "[N]", "[F]", "[=C]", "[=O]", "[=N]", "[#C]", "[#N]", "[NH1]", "[Branch1]", "[=Branch1]", "[#Branch1]", "[Branch2]")
    + ("[=Branch2]", "[#Branch2]", "[Ring1]", "[=Ring1]", "[Ring2]"),
    22,
)
GRAPHS = Graphs(("C", "N", "O", "F"), (4, 3, 2, 1), 9)
WEIGHTS = Numbers(GOALS, ((-1.0, 1.0),) * len(GOALS))


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


def _uncharged(strings: list[str]) -> list[str]:
    return [text for text in strings if not set(text) & set("+-")]


def _smiles(strings: list[str]) -> Split:
    """int16 (n, 32), and logP, polar surface, heavy atoms, float (n, 3)."""
    return ended(strings, SPACE), torch.tensor([properties(text) for text in strings])


def _selfies(strings: list[str]) -> Split:
    """int16 (n, 22), and no conditions."""
    rows = ended([to_selfies(text) for text in _uncharged(strings)], SELFIES)
    return rows, torch.full((len(rows),), -1)


def _graphs(strings: list[str]) -> Split:
    """int8 (n, 45), and how much each has of what may be wished for, float (n, 5)."""
    kept = _uncharged(strings)
    return torch.stack([graph.read(GRAPHS, text) for text in kept]).to(torch.int8), torch.tensor([goals(text) for text in kept])


def _dataset(
    id: str, title: str, space: Space, condition: Condition, split: Callable[[list[str]], Split], most: int | None = None, of: str = ""
) -> Dataset:
    """The molecules in one of the ways to write them; of those to learn from, so many."""
    return Dataset(
        id,
        title,
        "molecule",
        space,
        condition,
        judge="",
        hub="yairschiff/qm9",
        licence="commonly cited as CC0",
        source="R. Ramakrishnan, P. O. Dral, M. Rupp, O. A. von Lilienfeld: Quantum chemistry structures and properties, 2014",
        train=lambda: split(_parts()[0][:most]),
        test=cache(lambda: split(_parts()[1])),
        shown=cache(lambda: split(_parts()[1][:SHOWN])),
        of=of,
    )


DATA = _dataset("qm9", "QM9", SPACE, CONDITION, _smiles)
AS_SELFIES = _dataset("qm9-selfies", "QM9, SELFIES", SELFIES, NOTHING, _selfies, of=DATA.id)
AS_GRAPHS = _dataset("qm9-graphs", "QM9, graphs", GRAPHS, WEIGHTS, _graphs, GRAPHS_LEARNED, of=DATA.id)
