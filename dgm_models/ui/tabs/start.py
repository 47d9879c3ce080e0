"""The first page: the idea itself, the map of the families, and a game of real against made."""

from __future__ import annotations

import html
from itertools import count
from types import ModuleType
from typing import Any, NamedTuple

import gradio as gr
import torch

from dgm_models import catalog, weights
from dgm_models.applications.generate import generate
from dgm_models.applications.likelihood import nearness
from dgm_models.applications.spot import SIDES, deal
from dgm_models.data import FIRST, SETS
from dgm_models.modalities import image
from dgm_models.ui import first, widgets
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row, bare, still
from dgm_models.ui.serve import whole
from dgm_models.ui.tabs import (
    autoregressive,
    belief,
    boltzmann,
    diffusion,
    energy,
    flow,
    gan,
    gaussian_mixture,
    gflownet,
    gradient_flow,
    gsn,
    vae,
)
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

ID, TITLE = "start", "Start"
SHOWN, TALL = 10, 0.3  # digits that are real, and as many that are made; the share of the window's height for them


class Tile(NamedTuple):
    """A family on the map: its tab, the model whose answers count, and what it is in a few words."""

    tab: ModuleType
    id: str
    words: str


MAP: dict[str, tuple[Tile, ...]] = {
    "exact likelihood": (
        Tile(autoregressive, autoregressive.MODEL, "pixel after pixel"),
        Tile(flow, flow.MODEL, "noise, bent and bent back"),
        Tile(gaussian_mixture, gaussian_mixture.MODEL, "a sum of bells"),
    ),
    "approximate": (
        Tile(vae, vae.MODEL, "a code, and a bound"),
        Tile(diffusion, diffusion.MODEL, "noise, undone step by step"),
        Tile(energy, energy.MODEL, "valleys where digits lie"),
    ),
    "implicit": (Tile(gan, gan.MODEL, "a forger and a critic"),),
    "lesser known": (
        Tile(belief, belief.MODEL, "layers that dream"),
        Tile(boltzmann, boltzmann.MODEL, "units that pull each other"),
        Tile(gsn, gsn.MODEL, "a chain of denoisers"),
        Tile(gradient_flow, gradient_flow.DIGITS, "particles that move to data"),
        Tile(gflownet, gflownet.DIGITS, "built in proportion to reward"),
    ),
}
USES = (
    ("digits", "Digits on demand", "p(x | y): ask for a label"),
    ("style", "Style", "p(x | y, how it is written)"),
    ("inpainting", "Inpainting", "p(whole | what is seen)"),
    ("super-resolution", "Super-resolution", "p(large | small)"),
    ("interpolation", "Interpolation", "a way from one to another"),
    ("captions", "Text to image", "p(picture | caption), stage by stage"),
    ("translation", "Translation", "one style as another, without pairs"),
    ("years", "2014 – 2021", "one budget, the idea of each year"),
    ("colorization", "Colorization", "p(colour | grey)"),
    ("enlarging", "Photos enlarged", "faithful, or sharp"),
    ("filling", "Photos filled in", "paint a hole, see what may be there"),
    ("language", "Language", "p(next | all before it)"),
    ("molecules", "Molecules", "p(string | what it should be)"),
    ("my-digit", "My digit", "what each model says of yours"),
    ("board", "Score board", "every family by every figure"),
)


def build() -> Live:
    panel = _idea()
    panel.parts["spot"] = _spot()
    return panel


# the idea -------------------------------------------------------------------------------------------------------------


def _idea() -> Live:
    choices = Models("sample")
    real, made = (
        p.player("start-real", TALL),
        p.Shown(lambda: widgets.player(ID, True, TALL), is_player=True, place=("at", _at_from_text, _at_to_text)),
    )
    near = p.Shown(lambda: gr.HTML(elem_id="near"))

    def drawn(family: str, seed: int, at: Any) -> list[Any]:
        data, id = SETS[FIRST], choices.by_title[family]
        x, y = data.shown()
        some = _real(seed)
        result = generate(id, y[some], seed)
        frames = bare(result.frames)  # what it is, not what is expected
        film = Film([Row(frames, SHOWN // 2)], f"{ID}-{seed}", str(result.receipt))
        shown = Film([Row(still(data.space.read(x[some])), SHOWN // 2, kind="data")])
        return [film, shown, _nearest(result.x, at)]

    with p.view(ID, "The idea"):
        gr.HTML('<h1 class="dgm-say">A generative model is a distribution that you can draw from.</h1>')
        live = p.wired(
            ID,
            [
                p.column(6, real, '<p class="dgm-under"><i>x ~ p</i><sub>data</sub> &ensp;ten real digits</p>', width=280),
                p.column(
                    2,
                    '<p class="dgm-middle"><i>p<sub>θ</sub> ≈ p</i><sub>data</sub><b aria-hidden="true">→</b></p>',
                    p.choice("family", "Family", choices.titles, catalog.recipe(diffusion.MODEL).title),
                    p.seed(),
                    width=150,
                ),
                p.column(
                    6, made, '<p class="dgm-under"><i>x ~ p</i><sub>θ</sub> &ensp;ten that nobody wrote: click one</p>', near, width=280
                ),
            ],
            drawn,
            order=[made, real, near],
        )
        gr.HTML(_map())
    return live


def _real(seed: int) -> torch.Tensor:
    """Which of the test digits are shown: others for another seed, labels in turn."""
    _, y = SETS[FIRST].shown()
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(y), generator=generator)
    wanted = SETS[FIRST].condition.in_turn(SHOWN)
    taken: list[int] = []
    for label in wanted.tolist():
        taken.append(next(int(i) for i in order if int(y[i]) == label and int(i) not in taken))
    return torch.tensor(taken)


def _nearest(x: torch.Tensor, at: Any) -> str:
    """HTML: a clicked sample beside the nearest of the training digits that ship."""
    if not isinstance(at, dict) or set(at) != {"at"}:  # the player's own value: nobody clicked
        return ""
    place = _tile(at)
    near = nearness(x[place : place + 1])
    pair = image.data_url(image.enlarge(image.tile(torch.cat([x[place : place + 1], near.nearest]), 2), 3))
    many = len(SETS[FIRST].few()[1])
    return (
        f'<p class="dgm-near"><img class="dgm-ink" src="{pair}" alt="the sample, and the nearest training digit"/><span>'
        f"Beside it the nearest of the {many} training digits that ship with this page, {near.distance:.1f} away: further than "
        f"{near.further_than:.0%} of test digits have it.</span></p>"
    )


def _tile(at: dict[str, Any]) -> int:
    return whole(at["at"], "Sample", 0, SHOWN - 1)


def _at_from_text(text: str) -> dict[str, int] | None:
    return {"at": widgets.whole_from_text(text)} if text else None


def _at_to_text(at: Any) -> str:
    return str(_tile(at)) if isinstance(at, dict) and set(at) == {"at"} else ""


# the map --------------------------------------------------------------------------------------------------------------


def _map() -> str:
    """HTML: the families as the course orders them, each with what it can do; then the uses. All from what is stored."""
    number = count()  # of a tile: each shows another digit
    groups = ""
    for name, tiles in MAP.items():
        shown = "".join(_family(tile, next(number)) for tile in tiles if tile.id in weights.manifest())
        groups += f'<section><h3>{name}</h3><div class="tiles">{shown}</div></section>'
    uses = "".join(
        f'<a class="tile" href="?tab={tab}"><span><b>{html.escape(title)}</b><small>{html.escape(words)}</small></span></a>'
        for tab, title, words in USES
    )
    key = "".join(f'<span class="can"><i class="{name}"></i>{said}</span>' for name, said in MARKS.items())
    return (
        f'<div class="dgm-map"><div class="line"><h2>The families</h2><p class="key">{key}</p></div><div class="groups">{groups}</div>'
        f'<div class="line"><h2>What they are used for</h2></div><div class="tiles uses">{uses}</div></div>'
    )


MARKS = {"sample": "samples", "log_prob": "likelihood", "encode": "latent", "restore": "restores", "label": "recognises"}


def _family(tile: Tile, number: int) -> str:
    can = {name: tile.id in catalog.models_for(name) for name in catalog.QUESTIONS}
    can["label"] = can["log_prob"]  # by Bayes' rule, which a constant does not change
    can["log_prob"] &= catalog.family(tile.id).evidence != "unnormalised"
    marks = "".join(f'<i class="{name}{"" if can[name] else " not"}"></i>' for name in MARKS)
    said = ", ".join(f"{'' if can[name] else 'no '}{said}" for name, said in MARKS.items())
    return (
        f'<a class="tile" href="?tab={tile.tab.ID}" data-film="{_own(tile)}" data-tile="{number}" title="{said}">'
        f'<img class="dgm-ink" src="{_picture(tile, number)}" alt=""/><span><b>{html.escape(tile.tab.TITLE)}</b>'
        f'<small>{html.escape(tile.words)}</small><em aria-label="{said}">{marks}</em></span></a>'
    )


def _picture(tile: Tile, number: int) -> str:
    """A tile of the stored film of a family; nothing where none is stored."""
    stored = first.read(first.path_of(_own(tile)))
    if stored is None:
        return ""
    row = next(value for value in stored["values"] if isinstance(value, dict) and "rows" in value)["rows"][0]
    step = SETS[FIRST].space.side + image.GAP
    last, wide = image.from_data_url(row["sheet"])[-row["height"] :], (row["width"] + image.GAP) // step
    top, left = number // wide * step, number % wide * step
    return image.data_url(last[top : top + step - image.GAP, left : left + step - image.GAP])


def _own(tile: Tile) -> str:
    """Where the samples of the tile's model are stored."""
    return tile.tab.ID if getattr(tile.tab, "MODEL", None) else f"{tile.tab.ID}-digits"


# spot the fake --------------------------------------------------------------------------------------------------------


def _spot() -> Live:
    choices = Models("sample")
    board = p.Shown(lambda: widgets.spot("spot"))

    def dealt(family: str, seed: int) -> list[Any]:
        hand = deal(choices.by_title[family], seed)
        value = {"sheet": image.data_url(image.tile(hand.x, SIDES)), "columns": SIDES, "fakes": hand.made.tolist()}
        return [{**value, "reader": hand.doubted.tolist(), "family": family, "link": ""}]

    return p.panel(
        f"{ID}.spot",
        [
            p.column(
                3,
                p.choice("family", "Made by", choices.titles, catalog.recipe(gan.MODEL).title),
                p.seed(),
                "Eight were written by people, eight were made. Mark what you think is made; what you leave counts as real. Were the model "
                "perfect, nobody could do better than 8 of 16. The reader, a classifier, marks the eight of which it is least sure.",
                width=210,
            ),
            p.column(10, board, width=300),
        ],
        dealt,
        "Spot the fake",
    )
