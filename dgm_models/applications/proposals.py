"""What models propose for one reward: one makes the most of it, one draws in proportion to it, and one does not know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.molecules import GPT, Drawn, Shares, drawn, shares, unlike
from dgm_models.modalities.molecule import PROPERTIES, canonical, goals, properties

MAXIMISE, BEFORE, IN_PROPORTION = "molgan-qm9", "molgan-early-qm9", "gflownet-qm9"
HEED = {IN_PROPORTION: "in proportion", MAXIMISE: "maximise, collapsed", GPT: "does not know the reward"}
COUNT = 64


@dataclass(frozen=True)
class Proposed:
    """What a model drew; and of the molecules among that what each is worth, (k,), its properties, (k, 3), and how unlike they are."""

    drawn: Drawn
    strings: list[str]
    worth: Tensor
    properties: Tensor
    shares: Shares
    unlike: float


def proposed(id: str, weights: Sequence[float], seed: int) -> Proposed:
    """COUNT molecules of a model for goals of these weights, each from -1 to 1, in the order of GOALS. ValueError for one out of range."""
    settings = catalog.family(id).Settings(temperature=1.0)
    made = drawn(id, COUNT, seed, settings, None if id == GPT else weights)
    strings = [text for text in map(canonical, made.smiles) if text]
    worth = torch.tensor([_worth(text, tuple(weights)) for text in strings])
    known = torch.tensor([properties(text) for text in strings]).view(-1, len(PROPERTIES))
    return Proposed(made, strings, worth, known, shares(made.smiles), unlike(strings))


def _worth(smiles: str, weights: tuple[float, ...]) -> float:
    return sum(weight * reached for weight, reached in zip(weights, goals(smiles), strict=True))
