"""2014 to 2021 on the same faces: a model a year, through the years from one seed, side by side, and what two of the ideas add."""

from __future__ import annotations

from typing import Any

import torch

from dgm_models import catalog
from dgm_models.applications import years as y
from dgm_models.applications.generate import seeds_from
from dgm_models.contracts import Frame
from dgm_models.modalities.views import PHOTOS
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "years", "2014 – 2021", y.id_of(y.YEARS[-1])
COUNT, ACROSS, BESIDE, ROWS = 40, 10, 10, 4


def build() -> Live:
    words = "The same faces, 0.4 million parameters, and the idea of each year. Distance 1: as near to real faces as other real ones."
    with p.view(ID, "Through the years", words):
        live = p.wired(ID, [p.column(2, p.seed(), width=200), p.column(10, p.player(ID), width=300)], _through, api_name=ID)
        p.folded("years", [y.id_of(year) for year in y.YEARS], _code())
    live.parts["beside"] = p.panel(
        f"{ID}.beside",
        [p.column(2, p.seed(), width=200), p.column(10, p.player("years-beside"), width=300)],
        _beside,
        "Side by side",
        "A row a year, and its distance from real faces: 1 is as near as other real ones.",
    )
    live.parts["pairs"] = p.panel(
        f"{ID}.pairs",
        [p.column(2, p.seed(), width=200), p.column(10, p.player("years-pairs"), width=300)],
        _pairs,
        "2016: pairs from one code",
        "Two generators that share their first layers, of faces with dark and with bright hair. No pair was ever seen.",
    )
    live.parts["asked"] = p.panel(
        f"{ID}.asked",
        [
            p.column(2, p.amount("guidance", "Guidance scale", 0.0, 6.0, 2.0), p.seed(), width=200),
            p.column(10, p.player("years-asked"), width=300),
        ],
        _asked,
        "2021: asked for, and guided",
        "A column a colour of hair, a row a noise. More guidance: surer colours, fewer different faces.",
    )
    return live


def _code() -> str:
    return "\n".join(
        [
            "from dgm_models import Noise, load",
            "",
            f"for year in {y.YEARS}:",
            '    model = load(f"year-{year}-avatars")',
            "    x = model.sample(Noise(range(16)))",
            "    print(year, tuple(x.shape), float(x.std()))",
        ]
    )


def _through(seed: int) -> list[Any]:
    """A frame a year."""
    made = {year: y.faces(year, seed, COUNT) for year in y.YEARS}
    frames = [
        Frame(made[year].x, " · ".join(filter(None, (catalog.recipe(y.id_of(year)).title, y.IDEAS[year], y.gain(year)))))
        for year in y.YEARS
    ]
    return [Film([Row(frames, ACROSS, view=PHOTOS)], f"{ID}-{seed}", y.costs(made))]


def _beside(seed: int) -> list[Any]:
    made = {year: y.faces(year, seed, BESIDE) for year in y.YEARS}
    rows = []
    for year in y.YEARS:
        title, far = catalog.recipe(y.id_of(year)).title, y.distance(year)
        rows.append(Row(still(made[year].x), BESIDE, title if far is None else f"{title} · {y.rounded(far)}", y.gain(year), view=PHOTOS))
    return [Film(rows, f"{ID}-beside-{seed}", y.costs(made))]


def _pairs(seed: int) -> list[Any]:
    rows = []
    for start in seeds_from(seed, BESIDE + 1)[::BESIDE]:
        one, other = y.pairs(start, BESIDE)
        rows += [Row(still(one), BESIDE, "dark hair", view=PHOTOS), Row(still(other), BESIDE, "bright hair", view=PHOTOS)]
    return [Film(rows, f"{ID}-pairs-{seed}", catalog.recipe(y.id_of(y.COUPLED)).about)]


def _asked(guidance: float, seed: int) -> list[Any]:
    names, rows = catalog.dataset(MODEL).condition.names, []
    labels = torch.arange(len(names))
    for row, own in enumerate(seeds_from(seed, ROWS)):
        made = y.faces(y.GUIDED, own, len(names), labels, guidance, alike=True)
        rows.append(Row(still(made.x), len(names), f"noise {row + 1}", heads=tuple(names) if not row else (), view=PHOTOS))
    return [Film(rows, f"{ID}-asked-{seed}", str(made.receipt))]
