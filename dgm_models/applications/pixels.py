"""One pixel at a time: what an autoregressive model expects of each, what each costs, and what it listens to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.contracts import Settings
from dgm_models.probability import bits_per_dimension


@dataclass(frozen=True)
class Reading:
    """Of one picture, in raster order: chances of every level of each pixel, (pixels, levels); bits that each cost, (pixels,); the chosen
    pixel, and how much it listens to every other, (height, width)."""

    chances: Tensor
    bits: Tensor
    at: int
    field: Tensor

    @property
    def bits_a_pixel(self) -> float:
        return float(bits_per_dimension(-self.bits.sum() * math.log(2), len(self.bits)))


def inspect(id: str, x: Tensor, y: int, at: int | None, settings: Settings) -> Reading:
    """Of x, (1, 1, height, width). Where no pixel is chosen, the least certain one of the middle rows is."""
    model, label = catalog.load(id), torch.tensor([y])
    chances = model.next_probabilities(x, label, settings)[0]
    bits = -model.pixel_log_prob(x, label).flatten() / math.log(2)
    if at is None:
        high, wide = x.shape[-2:]
        begin, end = round(0.36 * high) * wide, round(0.64 * high) * wide
        at = int(torch.special.entr(chances[begin:end]).sum(1).argmax()) + begin
    return Reading(chances, bits, at, model.receptive_field(x, at, label))
