"""My digit: what each model says of one picture: its log-probability where it has one, and by Bayes' rule which digit it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.few import nearest
from dgm_models.applications.restore import read
from dgm_models.data import FIRST, SETS
from dgm_models.modalities import image
from dgm_models.probability import bits_per_dimension
from dgm_models.turns import clock

DATA = SETS[FIRST]


@dataclass(frozen=True)
class Verdict:
    """Of one model: log p(x) in nats and what kind of figure it is, or why there is none; p(y | x), (classes,), if it has one.

    Nats of the kind "unnormalised" lack a constant that nobody knows, and those of a picture in black and white are of another
    picture, so neither are bits to compare.
    """

    title: str
    kind: str
    nats: float | None
    posterior: Tensor | None
    milliseconds: float
    binary: bool = False

    @property
    def bits(self) -> float | None:
        return (
            None
            if self.nats is None or self.kind == "unnormalised" or self.binary
            else float(bits_per_dimension(self.nats, DATA.space.size))
        )


def verdict_of(id: str, x: Tensor) -> Verdict:
    """One picture (1, *shape). Labels are taken as equally likely: p(x) is the mean of p(x | y), and p(y | x) follows."""
    row, began, classes = catalog.recipe(id), clock(), DATA.condition.count
    model = catalog.open_model(id).model
    if not hasattr(model, "log_prob"):
        said = f"{model.silent}; its critic ranks it above {_above(id, x):.0%} of test digits" if hasattr(model, "score") else model.silent
        return Verdict(row.title, said, None, None, 1000 * (clock() - began))
    nats = model.log_prob(x.expand(classes, -1, -1, -1), torch.arange(classes), **model.quick)
    whole = float(torch.logsumexp(nats, 0)) - math.log(classes)
    return Verdict(row.title, model.evidence, whole, nats.softmax(0), 1000 * (clock() - began), model.binary)


def _above(id: str, x: Tensor) -> float:
    """The share of test digits that a critic scores lower: one score alone means nothing."""
    return float((_test_scores(id) < catalog.load(id).score(x)).float().mean())


@lru_cache
def _test_scores(id: str, digits: int = 200) -> Tensor:
    return catalog.load(id).score(DATA.space.read(DATA.shown()[0][:digits]))


def verdict_of_reader(x: Tensor) -> Verdict:
    """The classifier has p(y | x) and nothing else."""
    began = clock()
    posterior = read(x)[0]
    return Verdict("Reader, a classifier", "p(y | x) alone: it never learned p(x)", None, posterior, 1000 * (clock() - began))


@dataclass(frozen=True)
class Nearness:
    """How far a picture lies from the digits that models learned from: the nearest of the 200 that ship, its distance (the root of the sum
    of squared differences), and the share of test digits that lie nearer to theirs."""

    nearest: Tensor
    distance: float
    further_than: float


def nearness(x: Tensor) -> Nearness:
    """Of one picture (1, *shape)."""
    found, far = nearest(x)
    return Nearness(found, float(far), float((_test_distances() < far).float().mean()))


@lru_cache(maxsize=1)
def _test_distances(digits: int = 2000) -> Tensor:
    return nearest(DATA.space.read(DATA.shown()[0][:digits]))[1]


def png_bits(x: Tensor) -> float:
    """Bits a pixel of the picture as a PNG file."""
    return 8 * len(image.png(image.levels(x)[0, 0])) / x.numel()
