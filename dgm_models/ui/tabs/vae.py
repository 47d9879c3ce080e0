"""The variational autoencoder: its samples, and the map of a two-dimensional latent space."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from dgm_models import weights
from dgm_models.applications.latent import REACH, SIDE, dots, ground, place
from dgm_models.modalities import image
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL, PLANE = "vae", "VAE", "vae-mnist", "vae-plane-mnist"
COLOURS = ["#6b96c4", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#d7a27a", "#e0e0e0"]


def build() -> Live:
    panel = family_panel(ID, MODEL, "vae")
    if PLANE not in weights.manifest():
        return panel
    plane = p.Shown(lambda: widgets.plane(ID), place=("z", _place_from_text, _place_to_text))
    film = p.player("vae-plane")
    colours = " ".join(f'<b style="color:{c}">{d}</b>' for d, c in enumerate(COLOURS))
    panel.parts["plane"] = p.panel(
        f"{ID}.plane",
        [
            p.column(
                2,
                p.pad("plane", 1, forgets="z"),
                p.switch("dots", "Show where test digits land", True, called="with_dots"),
                f'<div style="background:#111;color:#ddd;padding:4px 8px;border-radius:4px">dots of digit {colours}</div>',
            ),
            p.column(4, plane, width=300),
            p.column(3, film, width=250),
        ],
        _explored,
        "Latent plane",
        "The same model with two latent numbers. Click to decode; the rings are 1 and 2 std of q(z | your digit).",
        order=[plane, film],
    )
    return panel


def _explored(x: Tensor, with_dots: bool, z: Any) -> list[Any]:
    """The map, with the ellipse of q(z | your digit); the digit, its reconstruction, and what the clicked point decodes to."""
    at = place(PLANE, x, _point(z) if z else None)
    receipt = (
        f"q(z | x): mean ({at.mean[0]:.2f}, {at.mean[1]:.2f}), standard deviation ({at.std[0]:.2f}, {at.std[1]:.2f}) · "
        f"{at.receipt.cost} · {Models.provenance([PLANE])}"
    )
    row = Row(still(torch.cat([x, at.decoded])), 3, heads=("your digit", "decode(mean of q)", "decode(the cross)"))
    value = {
        "ground": _ground(),
        "reach": REACH,
        "dots": dots(PLANE) if with_dots else [],
        "colours": COLOURS,
        "ellipse": [*at.mean, *at.std],
        "here": at.point,
    }
    return [value, Film([row], "vae-plane", receipt)]


@lru_cache(maxsize=1)
def _ground() -> str:
    return image.data_url(image.tile(ground(PLANE), SIDE, gap=0))


def _point(here: Any) -> list[float]:
    """A clicked point, or a ValueError: API callers may send anything."""
    point = here.get("here") if isinstance(here, dict) else None
    good = isinstance(point, list) and len(point) == 2 and all(isinstance(v, int | float) and abs(v) <= 2 * REACH for v in point)
    if not good:
        raise ValueError(f"Point: expected two numbers between -{2 * REACH:g} and {2 * REACH:g}")
    return [float(v) for v in point]


def _place_from_text(text: str) -> dict[str, list[float]] | None:
    return {"here": _point({"here": [float(part) for part in text.split(",")]})} if text else None


def _place_to_text(here: Any) -> str:
    return "" if here is None else ",".join(f"{v:.6g}" for v in _point(here))
