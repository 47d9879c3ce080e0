"""Interpolation: join two digits by a path, in pixels or in a model's latent space."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.probability import lerp, slerp

PATHS = {"lerp": lerp, "slerp": slerp}


@dataclass(frozen=True)
class Joined:
    """A path of pictures (steps, *shape); its ends are what the model makes of the two digits."""

    title: str
    path: Tensor
    receipt: Receipt | None


def join_pixels(a: Tensor, b: Tensor, steps: int) -> Joined:
    """The straight line between two pictures (1, *shape): a cross-fade, which is no path of digits."""
    path = torch.cat([lerp(a, b, w) for w in _weights(steps)])
    return Joined("pixels", path, None)


def join_latents(id: str, a: Tensor, b: Tensor, steps: int, path: str) -> Joined:
    """encode both without a label, walk from one code to the other, decode."""
    if path not in PATHS:
        raise ValueError(f"Path: expected one of {', '.join(PATHS)}, got {path!r}")
    loaded = catalog.open_for("encode", id)
    with measured(loaded, catalog.recipe(id).title, 0, steps) as receipt:
        ends = loaded.model.encode(torch.cat([a, b]))
        codes = torch.cat([PATHS[path](ends[:1], ends[1:], w) for w in _weights(steps)])
        pictures = loaded.model.decode(codes)
    return Joined(catalog.recipe(id).title, pictures, receipt)


def _weights(steps: int) -> list[float]:
    if not 3 <= steps <= 33:
        raise ValueError(f"Steps: expected 3 to 33, got {steps}")
    return [i / (steps - 1) for i in range(steps)]
