"""Style, rotation, thickness: digits with the way that they are written, moved by one number at a time."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications import written as w
from dgm_models.applications.generate import seeds_from
from dgm_models.modalities.strokes import NAMES
from dgm_models.ui import charts, widgets
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row, bare, still
from dgm_models.ui.serve import number
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "style", "Style", w.WRITER
UNITS = dict(zip(NAMES, ("°", " px", " px", " px"), strict=True))
AT_FIRST = dict(zip(NAMES, (20.0, 3.5, 14.0, 19.5), strict=True))
TEN = "all ten"
COUNT, ACROSS, COLUMNS = 30, 10, 9  # digits, in a row; values of a sweep


def build() -> Live:
    words = "Same seeds, same noise: only what you move changes. Thicker, wider, more slanted, and turned by any angle."
    with p.view(ID, "Move", words):
        live = p.wired(
            ID,
            [p.column(3, _digit(True), _shape, _turn, p.seed(), width=220), p.column(10, p.player(ID), width=300)],
            _written,
            api_name=ID,
        )
        p.folded("written", [MODEL])
    live.parts["sweep"] = p.panel(
        f"{ID}.sweep",
        [p.column(3, _digit(False), _shape, p.seed(), width=220), p.column(10, p.player("style-sweep"), width=300)],
        _swept,
        "One at a time",
        "One digit from one noise. In each row one number goes from low to high, the others stay.",
    )
    live.parts["borrowed"] = _borrowed()
    live.parts["asked"] = p.panel(
        f"{ID}.asked",
        [
            p.column(3, p.choice("of", "Number", NAMES, NAMES[1], radio=True), _digit(False), p.seed(), width=210),
            p.column(9, p.chart("style-asked"), width=300),
        ],
        _compared,
        "As asked?",
        "A dot a digit: what was asked for, taken from test digits of any label, and what is measured. On the line: as asked.",
    )
    return live


def _digit(ten: bool) -> p.Control:
    names = [*catalog.dataset(w.WRITER).condition.classes.names, *([TEN] if ten else [])]
    return p.choice("digit", "Digit y", names, TEN if ten else "4")


def _shape(_: list[p.Laid]) -> p.Laid:
    """Slant, thickness, width, height."""
    sliders = {
        name: gr.Slider(low, high, value=AT_FIRST[name], step=1 if name == "slant" else 0.1, label=f"{name},{UNITS[name]}")
        for name, (low, high) in zip(NAMES, w.MOVES, strict=True)
    }
    fields = [widgets.Field(name, slider, float) for name, slider in sliders.items()]

    def read(*values: Any) -> list[float]:
        return [number(value, name, *limits) for (name, limits), value in zip(zip(NAMES, w.MOVES, strict=True), values, strict=True)]

    return p.Laid("shape", fields, read, widgets.moves(fields))


def _turn(_: list[p.Laid]) -> p.Laid:
    slider = gr.Slider(-180, 180, value=0, step=5, label="turned,°")
    field = widgets.Field("turn", slider, float)
    return p.Laid("turn", [field], lambda value: number(value, "turned", -180, 180), widgets.moves([field]))


def _written(digit: str, shape: list[float], turn: float, seed: int) -> list[Any]:
    """Three rows of ten: a row a seed where all ten are asked for, else thirty seeds."""
    ten = digit == TEN
    labels = [i % 10 if ten else int(digit) for i in range(COUNT)]
    seeds = [each for each in seeds_from(seed, COUNT // ACROSS) for _ in range(ACROSS)] if ten else seeds_from(seed, COUNT)
    made = w.write(labels, [shape] * COUNT, seeds, turn)
    said = ", ".join(f"{name} {value:.1f}{UNITS[name]}" for name, value in zip(NAMES, made.measured.mean(0).tolist(), strict=True))
    row = Row(bare(made.frames), ACROSS, "measured, a mean", said)
    return [Film([row], f"{ID}-{seed}", str(made.receipt))]


def _swept(digit: str, shape: list[float], seed: int) -> list[Any]:
    made, values = w.swept(int(digit), shape, seed, COLUMNS)
    rows = []
    for at, (name, line) in enumerate(zip(NAMES, values, strict=True)):
        frames = [frame._replace(x=_cut(frame.x, at), guess=None) for frame in made.frames]
        rows.append(Row(frames, COLUMNS, title=name, heads=tuple(f"{value:.0f}{UNITS[name]}" for value in line)))
    return [Film(rows, f"{ID}-sweep-{seed}", str(made.receipt))]


def _cut(x: Tensor, row: int) -> Tensor:
    return x[row * COLUMNS : (row + 1) * COLUMNS]


def _borrowed() -> Live:
    film, told = p.player("style-borrowed"), p.chart("style-borrowed")
    return p.panel(
        f"{ID}.borrowed",
        [
            p.column(3, p.pad("borrowed", 61), p.seed(), width=220),
            p.column(9, film, width=300),
            p.column(4, told, width=260),
        ],
        _lent,
        "Your hand",
        "Your digit is measured, and all ten are written as it is: the style of this one, the digit of that one.",
        order=[film, told],
    )


def _lent(x: Tensor, seed: int) -> list[Any]:
    """Ten digits with the numbers of the one that was drawn, from three seeds."""
    shape = w.shape_of(x)
    labels, seeds = [i % 10 for i in range(COUNT)], [each for each in seeds_from(seed, COUNT // ACROSS) for _ in range(ACROSS)]
    made = w.write(labels, [shape] * COUNT, seeds)
    rows = [Row(still(x), ACROSS, title="yours"), Row(bare(made.frames), ACROSS, title="written like it")]
    lines = "".join(
        f"<tr><th>{name}</th><td>{mine:.1f}{UNITS[name]}</td><td>{theirs:.1f}{UNITS[name]}</td></tr>"
        for name, mine, theirs in zip(NAMES, shape, made.measured.mean(0).tolist(), strict=True)
    )
    head = '<thead><tr><th></th><th scope="col">yours</th><th scope="col">theirs, a mean</th></tr></thead>'
    table = f'<table class="dgm-told">{head}<tbody>{lines}</tbody></table>'
    return [Film(rows, f"{ID}-borrowed-{seed}", str(made.receipt)), table]


def _compared(of: str, digit: str, seed: int) -> list[Any]:
    made, at = w.heeded(int(digit), seed), NAMES.index(of)
    measured = torch.where(made.measured.isfinite(), made.measured, 0)[:, at]
    titles = [f"a {digit}"] * len(measured)
    asked = made.asked[:, 1 + at]
    return [charts.against(asked.tolist(), measured.tolist(), titles, f"{of},{UNITS[of]}", f"{len(measured)} digits {digit}")]
