"""The variational autoencoder: its samples, and the map of a two-dimensional latent space."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import gradio as gr
import torch

from dgm_models import catalog
from dgm_models.applications.receipt import measured
from dgm_models.data import mnist
from dgm_models.modalities import image
from dgm_models.ui import widgets
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import react
from dgm_models.ui.tabs.shared import Models, digit_pad
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL, PLANE = "vae", "VAE", "vae-mnist", "vae-plane-mnist"
REACH, SIDE, DOTS = 3.0, 20, 600
COLOURS = ["#6b96c4", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#d7a27a", "#e0e0e0"]


@lru_cache(maxsize=1)
def ground() -> str:
    """The plane decoded on a grid of SIDE x SIDE codes, as a picture."""
    axis = (torch.arange(SIDE) + 0.5) / SIDE * 2 * REACH - REACH
    z = torch.stack([axis.repeat(SIDE), (-axis).repeat_interleave(SIDE)], dim=1)
    pictures = catalog.load(PLANE).decode(z)[:, 0].view(SIDE, SIDE, 28, 28)
    return image.data_url(image.levels(pictures.permute(0, 2, 1, 3).reshape(SIDE * 28, SIDE * 28)))


@lru_cache(maxsize=1)
def dots() -> list[list[float]]:
    """Where the encoder puts test digits: [z1, z2, digit]."""
    x, y = mnist.test()
    z = catalog.load(PLANE).encode(mnist.pixels(x[:DOTS]))
    kept = z.abs().amax(1) < REACH
    return [[round(a, 3), round(b, 3), int(digit)] for (a, b), digit in zip(z[kept].tolist(), y[:DOTS][kept], strict=True)]


def explore(pad: Any, here: Any, with_dots: Any, link: Callable[[list[float]], str]) -> list[Any]:
    """The map, with the ellipse of q(z | your digit); the digit, its reconstruction, and what the clicked point decodes to."""
    picture, _ = widgets.from_sketch(pad)
    loaded = catalog.open_model(PLANE)
    model = loaded.model
    with measured(loaded, PLANE, 0, 1) as receipt:
        mean, log_std = model.posterior(picture, model.labels(None, 1))
        std = log_std.exp()
        point = _point(here) if here else mean[0].tolist()
        decoded = model.decode(torch.cat([mean, torch.tensor([point])]))
    film = Film(
        [Row(still(torch.cat([picture, decoded])), 3, heads=("your digit", "decode(mean of q)", "decode(the cross)"))],
        receipt=f"q(z | x): mean ({mean[0, 0]:.2f}, {mean[0, 1]:.2f}), standard deviation ({std[0, 0]:.2f}, {std[0, 1]:.2f}) · "
        f"{receipt.cost} · {Models.provenance([PLANE])}",
        link=link(point),
        tall=170,
    )
    value = {
        "ground": ground(),
        "reach": REACH,
        "dots": dots() if with_dots else [],
        "colours": COLOURS,
        "ellipse": [*mean[0].tolist(), *std[0].tolist()],
        "here": point,
    }
    return [value, film.value("vae-plane")]


def _point(here: Any) -> list[float]:
    """A clicked point, or a ValueError: API callers may send anything."""
    point = here.get("here") if isinstance(here, dict) else None
    good = isinstance(point, list) and len(point) == 2 and all(isinstance(v, int | float) and abs(v) <= 2 * REACH for v in point)
    if not good:
        raise ValueError(f"Point: expected two numbers between -{2 * REACH:g} and {2 * REACH:g}")
    return [float(v) for v in point]


def build() -> Live:
    panel = family_panel(ID, MODEL, "vae")
    if PLANE not in catalog.weights.manifest():
        return panel
    gr.Markdown(
        "### A latent plane: the same model with two latent numbers. Click to decode; the rings are 1 and 2 std of q(z | your digit)"
    )
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230):
            drawing, changed = digit_pad("plane", ["draw", "erase"], 4)
            with_dots = gr.Checkbox(True, label="Show where test digits land")
            colours = " ".join(f'<b style="color:{c}">{d}</b>' for d, c in enumerate(COLOURS))
            gr.HTML(f'<div style="background:#111;color:#ddd;padding:4px 8px;border-radius:4px">dots of digit {colours}</div>')
        with gr.Column(scale=4, min_width=300):
            chart = widgets.plane(ID)
        with gr.Column(scale=3, min_width=250):
            result = widgets.player("vae-plane")

    def run(pad: Any, here: Any, with_dots: Any) -> list[Any]:
        return explore(pad, here, with_dots, lambda point: part.link([pad, {"here": point}, with_dots]))

    shown = Field("dots", with_dots, lambda text: text == "True")
    place = Field("z", chart, _place_from_text, _place_to_text, costly=False)
    part = Live(f"{ID}.plane", [drawing, place, shown], run, [chart, result])
    # a new digit takes the point along
    react(changed, Live(part.address, [drawing, shown], lambda pad, with_dots: run(pad, None, with_dots), part.outputs, kept=False))
    react([chart.click, with_dots.input], part)
    panel.parts["plane"] = part
    return panel


def _place_from_text(text: str) -> dict[str, list[float]] | None:
    return {"here": _point({"here": [float(part) for part in text.split(",")]})} if text else None


def _place_to_text(here: Any) -> str:
    return "" if here is None else ",".join(f"{v:.6g}" for v in _point(here))
