"""The data sets: a file each, and all of them by their name."""

from __future__ import annotations

from dgm_models.data import avatars, captions, cifar, colour, emoji, fashion, mnist, photos, qm9, shakespeare, tales, usps, zinc
from dgm_models.data.dataset import DataError, Dataset

SETS: dict[str, Dataset] = {
    each.id: each
    for each in (
        mnist.DATA,
        mnist.AS_WRITTEN,
        fashion.DATA,
        cifar.DATA,
        colour.COLOURED,
        colour.PALETTES,
        photos.DATA,
        captions.DATA,
        captions.WHOLE,
        avatars.DATA,
        emoji.DATA,
        usps.DATA,
        usps.BOTH,
        shakespeare.DATA,
        tales.DATA,
        qm9.DATA,
        qm9.AS_SELFIES,
        qm9.AS_GRAPHS,
        zinc.DATA,
    )
}
FIRST = mnist.DATA.id  # which is meant where none is named

__all__ = ["FIRST", "SETS", "DataError", "Dataset"]
