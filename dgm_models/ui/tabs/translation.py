"""Translation without pairs: emoji between two styles of drawing under a microscope, many of them, and digits between two hands."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications import translating as t
from dgm_models.data import SETS, emoji, usps
from dgm_models.modalities import snapshot
from dgm_models.modalities.views import PHOTOS, PICTURES
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.photos import picture
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "translation", "Translation", t.EMOJI
WAYS = {f"{one} to {other}": to for to, (one, other) in ((1, tuple(emoji.STYLES)), (0, tuple(reversed(emoji.STYLES))))}
SIGNS = {1: ("x", "G(x)", "F(G(x))"), 0: ("y", "F(y)", "G(F(y))")}  # of a picture, there, and back: G is the way to the kind 1, F the other
MANY, COUNT, HANDS = 12, 10, {"MNIST to USPS": 1, "USPS to MNIST": 0}


def build() -> Live:
    words = "Nobody told it which emoji belong together. The way there and back must end where it began: watch what happens without that."
    with p.view(ID, "Microscope", words):
        live = p.wired(
            ID,
            [p.column(3, _emoji(ID, 1), width=220), p.column(10, p.player(ID), width=300)],
            lambda photo: _microscope(photo, 1),
            api_name=ID,
        )
        p.folded("translation", [t.EMOJI, t.HANDS], _code())
    live.parts["back"] = p.panel(
        f"{ID}.back",
        [p.column(3, _emoji("back", 0), width=220), p.column(10, p.player("translation-back"), width=300)],
        lambda photo: _microscope(photo, 0),
        "The other way",
        "From Twemoji to Noto, and back.",
    )
    live.parts["many"] = p.panel(
        f"{ID}.many",
        [
            p.column(3, p.choice("way", "Way", list(WAYS), next(iter(WAYS)), radio=True), _weight, p.seed(), width=220),
            p.column(10, p.player("translation-many"), width=300),
        ],
        _many,
        "Many",
        "Held-out emoji, translated, above their true partners. Counted: those that a judge takes for the other style.",
    )
    live.parts["hands"] = p.panel(
        f"{ID}.hands",
        [
            p.column(3, p.pad("hands", 61), p.choice("way", "Below", list(HANDS), next(iter(HANDS)), radio=True), p.seed(), width=220),
            p.column(10, p.player("translation-hands"), width=300),
        ],
        _hands,
        "Digits of two hands",
        "Your digit as the post office would have scanned it, and back. Does it stay the same digit? A classifier of USPS reads it.",
    )
    return live


def _code() -> str:
    return "\n".join(
        [
            "from dgm_models import load",
            "from dgm_models.data import SETS",
            "",
            f'model, (x, style) = load("{t.EMOJI}"), SETS["emoji"].shown()',
            "x = x[style == 0] / 255",
            "there = model.translate(x, to=1)",
            "back = model.translate(there, to=0)",
            'print("off by", float((back - x).abs().mean()))',
        ]
    )


def _emoji(name: str, to: int) -> p.Control:
    """One of the held-out emoji, or a person's own picture."""
    names = tuple(map(str, range(len(emoji.names()))))
    return picture(f"emoji-{name}", names, lambda which: t.pairs()[1 - to][int(which)], "218", "emoji")


def _weight(before: list[p.Laid]) -> p.Laid:
    return p.choice("weight", "Weight of the cycle", list(t.WEIGHTS), next(iter(t.WEIGHTS)), radio=True)(before)


def _microscope(photo: Tensor, to: int) -> list[Any]:
    """A row a weight of the cycle: the picture, there, back, what was lost."""
    x = snapshot.squared(photo, catalog.dataset(MODEL).space.side)
    at, style, rows, costs = t.partner(x, to), list(emoji.STYLES)[to], [], []
    for name, id in t.WEIGHTS.items():
        made = t.there_and_back(id, x, to)
        costs.append(f"{name}: {made.receipt.cost}")
        off = float((made.back - x).abs().mean())
        said = f"{float(t.taken_for(made.y, to)):.0%} {style}; back off by {100 * off:.1f} %"
        heads = (*SIGNS[to], "2 × off") if not rows else ()
        rows.append(Row(still(torch.cat([x, made.y, made.back, made.error])), 4, f"cycle: {name}", said, heads, view=PHOTOS))
    if at is not None:
        words = emoji.names()[at]
        rows.append(Row(still(t.pairs()[to][at : at + 1]), 4, "true partner", words, kind="data", view=PHOTOS))
    return [Film(rows, f"{ID}-{to}", "; ".join(costs))]


def _many(way: str, weight: str, seed: int) -> list[Any]:
    to, both = WAYS[way], t.pairs()
    picked = torch.randperm(len(both[0]), generator=torch.Generator().manual_seed(seed))[: 2 * MANY]
    made = t.there_and_back(t.WEIGHTS[weight], both[1 - to][picked], to)
    (one, other, _), rows = SIGNS[to], []
    for some in (slice(0, MANY), slice(MANY, 2 * MANY)):
        rows.append(Row(still(made.x[some]), MANY, one, kind="data", view=PHOTOS))
        taken = int((t.taken_for(made.y[some], to) > 0.5).sum())
        rows.append(Row(still(made.y[some]), MANY, f"{other} · {taken} of {MANY}", view=PHOTOS))
        rows.append(Row(still(both[to][picked][some]), MANY, "true partner", kind="data", view=PHOTOS))
    return [Film(rows, f"{ID}-many-{seed}", str(made.receipt))]


def _hands(x: Tensor, way: str, seed: int) -> list[Any]:
    """The digit that was drawn, there and back; held-out digits one way."""
    mine = t.there_and_back(t.HANDS, usps.smaller(x), 1)
    to, data = HANDS[way], SETS[catalog.recipe(t.HANDS).data]
    shown, hand = data.shown()
    known = data.space.read(shown)[hand == 1 - to]
    picked = torch.randperm(len(known), generator=torch.Generator().manual_seed(seed))[:COUNT]
    others = t.there_and_back(t.HANDS, known[picked], to)
    read = lambda y: ", ".join(map(str, catalog.load(t.LABEL).probabilities(y).argmax(1).tolist()))  # noqa: E731
    one, other, back = SIGNS[to]
    tiles, heads = torch.cat([mine.x, mine.y, mine.back, mine.error]), ("yours", "USPS", "back", "2 × off")
    rows = [
        Row(still(tiles), COUNT, "your digit", f"read as {read(mine.x)}, then {read(mine.y)}", heads, view=PICTURES),
        Row(still(others.x), COUNT, one, kind="data", view=PICTURES),
        Row(still(others.y), COUNT, other, f"read as {read(others.y)}" if to else "", view=PICTURES),
        Row(still(others.back), COUNT, back, view=PICTURES),
    ]
    return [Film(rows, f"{ID}-hands-{seed}", str(mine.receipt))]
