"""Molecules on demand: draw strings, count what of them is a molecule, new, and as it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import MOST, seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Frame, Noise
from dgm_models.data import qm9
from dgm_models.families.strings import StringSettings
from dgm_models.modalities.molecule import Facts, canonical, facts, fault
from dgm_models.modalities.text import words

GPT = "gpt-qm9"
END = "∎"
RADIUS, BITS = 2, 2048  # of the circular fingerprints by which molecules are compared


@dataclass(frozen=True)
class Drawn:
    """The film of some strings, what each says, and what was asked for, one number a property, or nothing."""

    frames: list[Frame]
    smiles: list[str]
    asked: tuple[float, ...] | None
    receipt: Receipt


def drawn(id: str, count: int, seed: int, settings: StringSettings, asked: Sequence[float] | None = None) -> Drawn:
    """Draw so many strings, all with the same wish if there is one: logP, polar surface, heavy atoms. ValueError for one out of range."""
    if not 1 <= count <= MOST:
        raise ValueError(f"How many: expected 1 to {MOST} molecules, got {count}")
    loaded, noise = catalog.open_for("sample", id), Noise(seeds_from(seed, count))
    y = None if asked is None else torch.tensor([list(asked)] * count)
    with measured(loaded, catalog.recipe(id).title, seed, count) as receipt:
        frames = list(loaded.model.trace(noise, y, settings))
    return Drawn(frames, words(loaded.model.space, frames[-1].x), None if asked is None else tuple(asked), receipt)


@dataclass(frozen=True)
class Shares:
    """Of some strings: how many are molecules, how many different ones these are, and how many of those nothing was learned from."""

    count: int
    valid: int
    unique: int
    new: int


def shares(strings: Sequence[str]) -> Shares:
    """What is valid as RDKit reads it; two strings of one molecule are one, whatever the order of its atoms."""
    molecules = [each for each in map(canonical, strings) if each]
    different = set(molecules)
    return Shares(len(strings), len(molecules), len(different), len(different - qm9.learned()))


@dataclass(frozen=True)
class Told:
    """Of one string: what is wrong with it, or what can be computed, whether nothing was learned from it, and the most alike among some
    that were held out, with their Tanimoto similarity."""

    smiles: str
    wrong: str
    facts: Facts | None = None
    new: bool = False
    nearest: str = ""
    alike: float = 0.0


def told(smiles: str) -> Told:
    """Of any string."""
    whole = canonical(smiles)
    if whole is None:
        return Told(smiles, fault(smiles))
    from rdkit.DataStructs import BulkTanimotoSimilarity

    strings, prints = _held_out()
    alike = BulkTanimotoSimilarity(_print(whole), prints)
    at = max(range(len(alike)), key=alike.__getitem__)
    return Told(smiles, "", facts(smiles), whole not in qm9.learned(), strings[at], float(alike[at]))


def surprise(id: str, smiles: str) -> tuple[list[str], Tensor]:
    """The letters of a string, and its end, and what each cost, in nats. ValueError for one that the model cannot spell."""
    model = catalog.open_for("log_prob", id).model
    try:
        x = catalog.read(id, smiles)
    except ValueError as error:
        raise ValueError(f"The model spells with {''.join(model.space.alphabet)}, and at most {model.space.length - 1} letters") from error
    count = len(smiles)
    if count == model.space.length:
        raise ValueError(f"The model ends after at most {count - 1} letters")
    return [*smiles, END], -model.pixel_log_prob(x)[0, : count + 1]


@lru_cache(maxsize=1)
def _held_out() -> tuple[list[str], list[Any]]:
    strings = words(qm9.SPACE, qm9.SPACE.read(qm9.shown()[0]))
    return strings, [_print(each) for each in strings]


def _print(smiles: str) -> Any:
    from rdkit import Chem

    return _generator().GetFingerprint(Chem.MolFromSmiles(smiles))


@lru_cache(maxsize=1)
def _generator() -> Any:
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
