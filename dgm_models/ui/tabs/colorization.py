"""Colorization: p(colour | grey) of pictures, as samples, with a palette first, untaught, and of a person's own photograph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications import colours as c
from dgm_models.applications.generate import seeds_from
from dgm_models.contracts import Frame
from dgm_models.data.photos import held_out
from dgm_models.measurements import Grey
from dgm_models.modalities import snapshot
from dgm_models.modalities.palette import palettes
from dgm_models.modalities.views import PHOTOS
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.film import Film, Row, bare, resample, still
from dgm_models.ui.photos import album, of_album, picture, url_of_photo
from dgm_models.ui.serve import number
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "colorization", "Colorization", c.COLOURS
ANSWERS, PALETTED, FEW, SIDE = 8, 5, 5, 32
FRAMES = 5  # of a film: noise in colour makes large files
FIRST, FIRST_PHOTO = "2", "flowers"
CHOSEN = ("#20242c", "#7a2e22", "#2f6b3a", "#3f7fb5", "#f0dfc0")  # five colours that a person starts from
OWN_PALETTE, DRAWN, MINE = "the picture's own", "drawn from p(palette | grey)", "these five"
STEPS = {"told": (2, 12), "guided": (12, 40)}


def build() -> Live:
    words = (
        "The grey picture does not say which colour. A model that samples gives several answers; the least error gives their mean, brown."
    )
    with p.view(ID, "Answers", words):
        live = p.wired(
            ID,
            [
                p.column(3, small_picture(ID), p.count("steps", "Steps", 1, 50, c.STEPS), p.seed(), width=220),
                p.column(10, p.player(ID), width=300),
            ],
            _answers,
            api_name=ID,
        )
        p.folded("colorization", [c.COLOURS, c.PALETTES, c.REGRESSOR], _code())
    live.parts["palette"] = p.panel(
        f"{ID}.palette",
        [
            p.column(
                3,
                small_picture("palette"),
                p.choice("palette", "Palette", (DRAWN, MINE, OWN_PALETTE), DRAWN),
                _five,
                p.seed(),
                width=220,
            ),
            p.column(9, p.player("colorization-palette"), width=300),
        ],
        _with_palette,
        "A palette first",
        "p(colour | grey) in two stages: five colours from dark to light, then the picture. Choose your own five.",
    )
    live.parts["untaught"] = p.panel(
        f"{ID}.untaught",
        [p.column(3, small_picture("untaught"), p.seed(), width=220), p.column(10, p.player("colorization-untaught"), width=300)],
        _untaught,
        "Without being taught",
        "Grey is a linear measurement: a model of colour pictures that was told nothing can be guided to it. It takes more steps.",
    )
    live.parts["photo"] = p.panel(
        f"{ID}.photo",
        [
            p.column(3, picture("colorphoto", tuple(held_out()), _photo, FIRST_PHOTO, "photo", url_of=url_of_photo), p.seed(), width=220),
            p.column(10, album("colorization-photo"), width=300),
        ],
        _on_photo,
        "Your photo",
        f"Squared and shrunk to {SIDE} × {SIDE}, coloured there, and the colours laid over the photo's own lightness.",
    )
    return live


def _code() -> str:
    return "\n".join(
        [
            "from dgm_models import Noise, load",
            "from dgm_models.applications.colours import COLOURING",
            "from dgm_models.data import SETS",
            "from dgm_models.data.colour import known",
            "from dgm_models.measurements import Grey",
            "",
            f'model, (x, _) = load("{c.COLOURS}"), SETS["cifar"].shown()',
            "grey = Grey()(x[2:3] / 255)",
            "answers = model.sample(Noise(range(8)), known(grey.expand(8, -1, -1, -1)), COLOURING)",
            "",
            "# the same without being told: guided to the grey at each step",
            "*_, frame = model.restore(grey.expand(8, -1, -1, -1), Grey(), Noise(range(8)))",
            'print((Grey()(frame.x) - grey).abs().max(), "of 1: the grey is kept")',
        ]
    )


def _shown() -> Tensor:
    return catalog.dataset(MODEL).shown()[0]


def _tile(which: str) -> Tensor:
    return catalog.dataset(MODEL).space.read(_shown()[int(which)])


def _photo(which: str) -> Tensor:
    return catalog.dataset(MODEL).space.read(held_out()[which])


def small_picture(name: str) -> p.Control:
    """One of the test pictures that ship, or a person's own."""
    return picture(f"color-{name}", [str(i) for i in range(len(_shown()))], _tile, FIRST)


def _five(_: list[p.Laid]) -> p.Laid:
    """Five colours of a person's own; with them the choice is theirs."""
    with gr.Row(elem_classes="dgm-colours"):
        pickers = [gr.ColorPicker(value=value, label=f"colour {i + 1}", show_label=False, min_width=40) for i, value in enumerate(CHOSEN)]
    fields = [widgets.Field(f"colour_{i + 1}", picker) for i, picker in enumerate(pickers)]
    return p.Laid("five", fields, lambda *values: torch.tensor([_rgb(value) for value in values]), [picker.change for picker in pickers])


def _rgb(text: Any) -> list[float]:
    """ "#ff8000" or "rgba(255, 128, 0, 1)" -> red, green, blue in [0, 1]."""
    try:
        if isinstance(text, str) and text.startswith("#") and len(text) == 7:
            return [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        inner = text.removeprefix("rgba(").removeprefix("rgb(").removesuffix(")")
        return [number(float(part), "Colour", 0, 255) / 255 for part in inner.split(",")[:3]]
    except (ValueError, AttributeError):
        raise ValueError(f"Colour: expected such as #ff8000, got {str(text)[:40]!r}") from None


def _answers(photo: Tensor, steps: int, seed: int) -> list[Any]:
    x = snapshot.squared(photo, SIDE)
    grey = x.mean(1, keepdim=True)
    least, made = c.least_error(grey), c.colour(grey, seeds_from(seed, ANSWERS), steps=steps)
    spread = (4 * made.x.std(0, keepdim=True, correction=0)).clamp(0, 1)
    tiles = torch.cat([grey.expand_as(x), x, least, made.x.mean(0, keepdim=True), spread])
    read = ", ".join(c.read_as(tiles[:3]))
    error, best = c.decibels(c.chroma_error(least, x)), c.decibels(c.chroma_error(made.x, x).min())
    said = f"read as {_tally(c.read_as(made.x))}; the nearest one's colour {float(best):.1f} dB, that of least error {float(error):.1f} dB"
    rows = [
        Row(
            still(tiles), 5, "the picture", f"read as {read}", ("grey", "real", "least error", "mean of 8", "4 × std"), "data", view=PHOTOS
        ),
        Row(bare(made.frames, FRAMES), 4, "eight answers", said, view=PHOTOS),
    ]
    return [Film(rows, f"{ID}-{seed}", str(made.receipt))]


def _tally(words: list[str]) -> str:
    return ", ".join(f"{word} ×{count}" if count > 1 else word for word, count in Counter(words).most_common())


def _with_palette(photo: Tensor, palette: str, five: Tensor, seed: int) -> list[Any]:
    """Three palettes, or one, and the pictures that they lead to: a row each."""
    x = snapshot.squared(photo, SIDE)
    grey = x.mean(1, keepdim=True)
    if palette == DRAWN:
        films = c.draw_palettes(grey, seeds_from(seed, 3))
    else:
        films = still(palettes(x) if palette == OWN_PALETTE else five.T[None, :, None])
    seeds, rows, receipt = seeds_from(seed, PALETTED), [], ""
    for i in range(len(films[-1].x)):
        made = c.colour(grey, seeds, films[-1].x[i : i + 1].clamp(0, 1))
        films_of = zip(*(resample(each, FRAMES) for each in (films, made.frames)), strict=True)
        joined = [Frame(torch.cat([_stripes(one.x[i : i + 1]), two.x]), two.note) for one, two in films_of]
        receipt = str(made.receipt)
        rows.append(Row(joined, PALETTED + 1, f"palette {i + 1}" if palette == DRAWN else palette, view=PHOTOS))
    tiles = torch.cat([grey.expand_as(x), x, _stripes(palettes(x))])
    given = Row(still(tiles), PALETTED + 1, "the picture", heads=("grey", "real", "its palette"), kind="data", view=PHOTOS)
    return [Film([given, *rows], f"{ID}-palette-{seed}", receipt)]


def _stripes(palette: Tensor) -> Tensor:
    """Palettes (n, 3, 1, k) as pictures with a stripe a colour."""
    return F.interpolate(palette, (SIDE, SIDE), mode="nearest")


def _untaught(photo: Tensor, seed: int) -> Iterator[list[Any]]:
    """A row a number of steps, of the model that is told the grey picture and of the same one that is not."""
    x = snapshot.squared(photo, SIDE)
    grey, seeds = x.mean(1, keepdim=True), seeds_from(seed, FEW)
    given = Row(still(torch.cat([grey.expand_as(x), x])), FEW, "the picture", heads=("grey", "real"), kind="data", view=PHOTOS)
    film = Film([given], f"{ID}-untaught-{seed}")
    for told, steps in ((way, count) for way, counts in STEPS.items() for count in counts):
        made = c.colour(grey, seeds, steps=steps) if told == "told" else c.undone(Grey(), grey, seeds, steps)
        spread = float(made.x.std(0, correction=0).mean())
        said = f"{made.receipt.cost}; spread {100 * spread:.1f} % of the range"
        row = Row(bare(made.frames, FRAMES), FEW, f"{told}, {steps} steps", said, view=PHOTOS)
        film = replace(film, rows=[*film.rows, row], receipt=str(made.receipt))
        yield [replace(film, partial=True)]
    yield [film]


def _on_photo(photo: Tensor, seed: int) -> list[Any]:
    """The photograph in grey, in the colours of least error, and in those of two answers, as pictures to save."""
    x = snapshot.squared(photo, SIDE)
    grey, whole = x.mean(1, keepdim=True), snapshot.middle(photo)
    made = c.colour(grey, seeds_from(seed, 3))
    lightness = whole.mean(0, keepdim=True)
    coloured = snapshot.tinted(lightness, torch.cat([c.least_error(grey), made.x]))
    names = ("grey: given", "least error", "answer 1", "answer 2", "answer 3", "the photo itself")
    pictures = [lightness.expand_as(whole), *coloured, whole]
    return [of_album(list(zip(names, pictures, strict=True)), f"{ID}-{seed}", str(made.receipt))]
