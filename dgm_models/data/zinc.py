"""ZINC250k: a quarter of a million drug-like molecules (Irwin and Shoichet, 2005; chosen by Gomez-Bombarelli et al., 2018), as SMILES
strings without marks of handedness. A thousand of the held-out ones ship; all others are fetched."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from functools import cache, lru_cache
from pathlib import Path

import torch
from torch import Tensor

from dgm_models.conditions import NOTHING
from dgm_models.data.dataset import DataError, Dataset
from dgm_models.data.text import ended, shipped
from dgm_models.modalities.molecule import unhanded
from dgm_models.spaces import Smiles

HUB, FILE = "edmanft/zinc250k", "molecules/zinc250k.txt.gz"
SHA256 = "f900b46bb42b77aab37cd827d1ea474e2a037ecab2bd7def2b6027492216d36a"  # of the strings, a line each, in the order of the file
SHOWN_SHA256 = "df4032b5fab965bf1ce72d772d745e4cf63cb057e3bf2289a5adadae0a3fc7da"
HELD_OUT = 5000
SPACE = Smiles(tuple("#()+-12345678=BCFHINOPS[]clnors"), 80)


@lru_cache(maxsize=1)
def _strings() -> list[str]:
    """All of them, from the folder that DGM_DATA names, else from the Hub. DataError where they are not there or not the original ones."""
    root = os.environ.get("DGM_DATA")
    text = _from_folder(Path(root) / FILE) if root else _from_hub()
    if (found := hashlib.sha256(text.encode()).hexdigest()) != SHA256:
        raise DataError(f"the molecules of ZINC250k are not the original ones: sha256 {found[:16]}..., {len(text.split()):,} strings")
    return text.split()


def _from_folder(path: Path) -> str:
    try:
        return gzip.decompress(path.read_bytes()).decode("ascii")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"no ZINC250k: {error}. Put {FILE} there, or unset DGM_DATA to take the Hub data set {HUB}") from error


def _from_hub() -> str:
    try:
        from datasets import load_dataset

        rows = load_dataset(HUB, split="train")
        return "".join(f"{text.strip()}\n" for text in rows["smiles"])
    except Exception as error:
        raise DataError(
            f"no ZINC250k. Let the `datasets` library reach the Hub data set {HUB} (pip install -r requirements-dev.txt; a network is "
            f"needed once), or set DGM_DATA to a folder with {FILE}. It said: {type(error).__name__}: {error}"
        ) from error


@cache
def _parts() -> tuple[list[str], list[str]]:
    """What models learn from, and what is held out: different molecules, those that have room in the space."""
    known = sorted({unhanded(text) for text in _strings()})
    order = torch.randperm(len(known), generator=torch.Generator().manual_seed(0)).tolist()
    kept = [known[at] for at in order if len(known[at]) < SPACE.length]
    return kept[HELD_OUT:], kept[:HELD_OUT]


def _split(strings: list[str]) -> tuple[Tensor, Tensor]:
    rows = ended(strings, SPACE)
    return rows, torch.full((len(rows),), -1)


def train() -> tuple[Tensor, Tensor]:
    """int16 (n, 80), and no conditions."""
    return _split(_parts()[0])


@cache
def test() -> tuple[Tensor, Tensor]:
    """int16 (5000, 80), and no conditions."""
    return _split(_parts()[1])


@cache
def shown() -> tuple[Tensor, Tensor]:
    """The first thousand that are held out, which ship."""
    return _split(shipped("zinc", SHOWN_SHA256).split())


DATA = Dataset(
    "zinc",
    "ZINC250k",
    "molecule",
    SPACE,
    NOTHING,
    judge="",
    hub=HUB,
    licence="ZINC is free to use",
    source="J. J. Irwin, B. K. Shoichet: ZINC, a free database of commercially available compounds for virtual screening, 2005",
    train=train,
    test=test,
    shown=shown,
)
