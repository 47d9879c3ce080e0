"""The score board: every family by every figure, as a table and as one figure against another, from the manifest."""

from __future__ import annotations

import html
import math
from typing import Any

import gradio as gr

from dgm_models import catalog, weights
from dgm_models.data import FIRST, SETS
from dgm_models.evaluation.figures import FIGURES, Figure
from dgm_models.ui import widgets
from dgm_models.ui.charts import beside, trade_offs
from dgm_models.ui.serve import one_of, refusing
from dgm_models.ui.widgets import ASSETS, Field, Live

ID, TITLE = "board", "Score board"
WIDE, TALL, LEFT, RIGHT, TOP, BOTTOM, DOT = 760, 390, 70, 150, 44, 48, 6


BY_NAME = {figure.name: figure for figure in FIGURES}
ACROSS, UP = "milliseconds for 16 digits", "Frechet distance, floor = 1"


def scores(data: str = FIRST) -> list[tuple[str, dict[str, float]]]:
    """(title, figures) of each trained generative model of a data set; figures that were not measured are left out."""
    known, rows = weights.manifest(), []
    for id in catalog.models_for("sample", data=data):
        entry = known[id]
        found = {**entry.get("scores", {}), "parameters": entry["parameters"] / 1e6}
        rows.append((catalog.recipe(id).title, {figure.key: found[figure.key] for figure in FIGURES if found.get(figure.key) is not None}))
    return rows


def table(rows: list[tuple[str, dict[str, float]]], data: str = FIRST) -> str:
    """An HTML table, a row a figure and a column a model; the best of each row in bold, gaps said in words."""
    lines = ["<tr><th></th>" + "".join(f"<th>{html.escape(title)}</th>" for title, _ in rows) + "</tr>"]
    for figure in [each.of(data) for each in FIGURES]:
        values = [found[figure.key] for _, found in rows if figure.key in found]
        if not values:
            continue
        best, cells = figure.best(values), []
        for _, found in rows:
            value = found.get(figure.key)
            text = "–" if value is None else figure.form.format(value)
            cells.append(f"<td>{f'<b>{text}</b>' if value == best else text}</td>")
        how = html.escape(figure.protocol)
        lines.append(f"<tr><th title='{how}'>{figure.name}<small> {figure.hint}</small></th>{''.join(cells)}</tr>")
    return '<div class="dgm-board"><table>\n' + "\n".join(lines) + "\n</table></div>"


def chart(rows: list[tuple[str, dict[str, float]]], across: Figure, up: Figure) -> str:
    """One figure against another as SVG, a labelled dot a model that has both; its axes say which way is better."""
    points = [(title, found[across.key], found[up.key]) for title, found in rows if across.key in found and up.key in found]
    if not points:
        measured = ", ".join(figure.name for figure in FIGURES if any(figure.key in found for _, found in rows))
        return f'<p class="dgm-hint">\nNo model has both figures. Measured here: {html.escape(measured)}.</p>'
    x_of = _scale([x for _, x, _ in points], across.log, LEFT, WIDE - RIGHT)
    y_of = _scale([y for _, _, y in points], up.log, TALL - BOTTOM, TOP)
    label = f"{up.name} against {across.name}"
    parts = [
        f'<div class="dgm-board"><svg class="dgm-chart dgm-wide" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{label}">',
        f'<path d="M{LEFT} {TOP}V{TALL - BOTTOM}H{WIDE - RIGHT}" class="axis"/>',
        f'<text x="{(LEFT + WIDE - RIGHT) / 2}" y="{TALL - 8}" text-anchor="middle">{across.name} ({across.hint})</text>',
        f'<text x="4" y="20">{up.name} ({up.hint})</text>',
    ]
    for value in _ends([x for _, x, _ in points]):
        parts.append(f'<text x="{x_of(value):.1f}" y="{TALL - BOTTOM + 18}" text-anchor="middle">{across.form.format(value)}</text>')
    for value in _ends([y for _, _, y in points]):
        parts.append(f'<text x="{LEFT - 8}" y="{y_of(value) + 4:.1f}" text-anchor="end">{up.form.format(value)}</text>')
    titles, dots = [title for title, *_ in points], [(x_of(x), y_of(y)) for _, x, y in points]
    places = beside(dots, titles, DOT, (LEFT, TOP - DOT, WIDE, TALL - BOTTOM))
    for title, (x, y), (along, base, anchor) in zip(titles, dots, places, strict=True):
        text = f'<text x="{along:.1f}" y="{base:.1f}" text-anchor="{anchor}">{html.escape(title)}</text>'
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT}"/>{text}')
    return "\n".join([*parts, "</svg></div>"])


def temperatures() -> str:
    """Fidelity against diversity of each model that was measured at several temperatures; "" for none."""
    known = weights.manifest()
    curves = {catalog.recipe(id).title: known[id].get("scores", {}).get("temperature") for id in catalog.models_for("sample")}
    return trade_offs({title: curve for title, curve in curves.items() if curve})


def _scale(values: list[float], log: bool, start: float, end: float) -> Any:
    """value -> pixel; the values fill the axis but for a margin."""
    shape = math.log if log and min(values) > 0 else float
    low, high = shape(min(values)), shape(max(values))
    span = (high - low) or 1.0
    return lambda value: start + (0.06 + 0.88 * (shape(value) - low) / span) * (end - start)


def _ends(values: list[float]) -> list[float]:
    return sorted({min(values), max(values)})


def build() -> Live:
    def run(data: Any, across: Any, up: Any) -> list[Any]:
        rows = scores(one_of(data, "Data set", tuple(SETS)))
        figures = [BY_NAME[one_of(name, "Figure", tuple(BY_NAME))].of(data) for name in (across, up)]
        return [table(rows, data), chart(rows, *figures)]

    data = widgets.data_choice(tuple(SETS))
    sheet = gr.HTML()
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=210, elem_classes="dgm-side"):
            up = gr.Dropdown(list(BY_NAME), value=UP, label="Upwards")
            across = gr.Dropdown(list(BY_NAME), value=ACROSS, label="To the right")
        with gr.Column(scale=7, min_width=300, elem_classes="dgm-result"):
            plot = gr.HTML(elem_id="chart-board")
    if curves := temperatures():
        gr.Markdown((ASSETS / "lessons" / "temperature.md").read_text(encoding="utf-8"))
        gr.HTML(curves, elem_id="chart-temperature")
    gr.Markdown((ASSETS / "lessons" / "board.md").read_text(encoding="utf-8"), elem_classes="dgm-card")
    panel = Live(ID, [data, Field("across", across), Field("up", up)], run, [sheet, plot], stored=False)
    for each in panel.inputs:
        each.input(refusing(run), panel.inputs, panel.outputs, api_visibility="private", show_progress="hidden")
    return panel
