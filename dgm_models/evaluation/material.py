"""What models are measured with: held-out elements, pictures drawn in numbers, their features and readings, contact sheets."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from dgm_models import catalog
from dgm_models.applications.restore import read
from dgm_models.contracts import Noise, Settings
from dgm_models.data import SETS
from dgm_models.data.dataset import ASSETS
from dgm_models.modalities import image
from dgm_models.training.optimizers import multiplies_bf16

BATCH = 250
PLAIN = {"guidance_scale": 1.0, "temperature": 1.0}  # draws of p(x | y) itself
UNGUIDED = {**PLAIN, "sampler": "ancestral DDPM"}
SECOND_ORDER = "SDE-DPM-Solver++(2M)"
SHEETS = ASSETS / "sheets"


@lru_cache(maxsize=2)
def held_out(data: str) -> tuple[Tensor, Tensor]:
    """All of a data set that no model learned from, and its conditions."""
    x, y = SETS[data].test()
    return SETS[data].space.read(x), y


def features(x: Tensor, data: str) -> Tensor:
    """Of the judge of a data set, (n, 128)."""
    with torch.no_grad():
        return torch.cat([catalog.load(SETS[data].judge).features(chunk) for chunk in x.split(500)])


def reads(x: Tensor, data: str) -> Tensor:
    """The condition that the judge of a data set reads off each element, (n,)."""
    return torch.cat([read(chunk, data).argmax(1) for chunk in x.split(500)])


def bank(model: nn.Module, y: Tensor, **settings: Any) -> Tensor:
    """An element for each condition of y (n,), number i from seed i: (n, *shape)."""
    count = len(y)
    knobs = model.Settings.knobs()
    chosen = model.Settings(**{name: value for name, value in settings.items() if name in knobs})
    with fast(model):
        made = [model.sample(Noise(range(i, min(i + BATCH, count))), y[i : i + BATCH], chosen) for i in range(0, count, BATCH)]
    return torch.cat(made).float()


def sharpened(model: nn.Module) -> bool:
    """Whether its samples are surer than p(x | y), by guidance or by temperature, unless it is told otherwise."""
    settings = model.Settings()
    return getattr(settings, "guidance_scale", 1.0) != 1 or settings.temperature != 1


def fast(model: nn.Module) -> torch.autocast:
    """bf16 for networks where that is fast: thousands of pictures are made here; the app itself samples in float32."""
    return torch.autocast("cpu", torch.bfloat16, enabled=hasattr(model, "network") and multiplies_bf16())


def as_learned(kind: type[Settings]) -> dict[str, Any]:
    """The settings of `_distances`, for models that have them."""
    knobs = kind.knobs()
    if "sampler" in knobs and SECOND_ORDER in knobs["sampler"][1].choices:
        return {**PLAIN, "sampler": SECOND_ORDER, "grid": "uniform log-SNR", "steps": 20}
    return PLAIN


def keep_sheet(name: str, x: Tensor, columns: int) -> None:
    """A contact sheet in assets/sheets: numbers alone can hide a collapsed model, so look."""
    SHEETS.mkdir(exist_ok=True)
    (SHEETS / f"{name}.png").write_bytes(image.png(image.enlarge(image.tile(x, columns), 2)))


def share(hits: Tensor) -> float:
    return float(hits.float().mean())
