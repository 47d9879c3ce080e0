"""The score board: every family by every figure, as a table and as one figure against another, from the manifest."""

from __future__ import annotations

import html
import math
from typing import Any

import gradio as gr

from dgm_models import catalog, weights
from dgm_models.data import FIRST
from dgm_models.evaluation.figures import FIGURES, SUBJECTS, Figure
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.charts import beside, trade_offs
from dgm_models.ui.serve import one_of
from dgm_models.ui.widgets import ASSETS, Live

ID, TITLE = "board", "Score board"
WIDE, TALL, LEFT, RIGHT, TOP, BOTTOM, DOT = 760, 390, 70, 150, 44, 48, 6


BY_NAME = {figure.name: figure for figure in FIGURES}
ACROSS, UP = "milliseconds for 16 digits", "Frechet distance, real ones = 1"


def scores(data: str = FIRST) -> list[tuple[str, dict[str, float]]]:
    """(title, figures) of each trained generative model of a data set; figures that were not measured are left out."""
    known, rows = weights.manifest(), []
    for id in catalog.models_for("sample", data=data):
        entry = known[id]
        found = {**entry.get("scores", {}), "parameters": entry["parameters"] / 1e6}
        rows.append((catalog.recipe(id).title, {figure.key: found[figure.key] for figure in FIGURES if found.get(figure.key) is not None}))
    return rows


def table(rows: list[tuple[str, dict[str, float]]], data: str = FIRST, about: str = "") -> str:
    """An HTML table, a row a model and a column a figure of that subject, or of all; the best of each column in bold."""
    figures = [each.of(data) for each in FIGURES if about in ("", each.about) and any(each.key in found for _, found in rows)]
    heads = "".join(
        f'<th aria-sort="none" data-good="{each.good}" title="{html.escape(each.protocol)}">'
        f'<button type="button">{html.escape(each.name)}</button><small>{each.hint}</small></th>'
        for each in figures
    )
    best = {each.key: each.best([found[each.key] for _, found in rows if each.key in found]) for each in figures}
    lines = [f"<tr><th></th>{heads}</tr>"]
    for title, found in rows:
        cells = []
        for each in figures:
            value = found.get(each.key)
            text = "–" if value is None else each.form.format(value)
            raw = "" if value is None else f' data-value="{value:.8g}"'
            cells.append(f"<td{raw}>{f'<b>{text}</b>' if value == best[each.key] else text}</td>")
        lines.append(f"<tr><th>{html.escape(title)}</th>{''.join(cells)}</tr>")
    said = "the figures of each model; a click on a head sorts"
    return f'<div class="dgm-board" tabindex="0" role="region" aria-label="{said}"><table>\n' + "\n".join(lines) + "\n</table></div>"


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
    sheet = p.Shown(lambda: gr.HTML(elem_id="board"))
    live = p.panel(
        ID,
        [
            p.column(1, _data, p.choice("about", "Of", SUBJECTS, SUBJECTS[0], radio=True), "A click on a head sorts.", width=170),
            p.column(8, sheet, width=300),
        ],
        lambda data, about: [table(scores(data), data, about)],
        "Table",
        stored=False,
    )
    plot = p.chart("board")
    live.parts["chart"] = p.panel(
        f"{ID}.chart",
        [
            p.column(
                2,
                _data,
                p.choice("up", "Upwards", list(BY_NAME), UP),
                p.choice("across", "To the right", list(BY_NAME), ACROSS),
                width=210,
            ),
            p.column(8, plot, width=300),
        ],
        lambda data, up, across: [chart(scores(data), BY_NAME[across].of(data), BY_NAME[up].of(data))],
        "One against another",
        stored=False,
    )
    if curves := temperatures():
        with p.view(f"{ID}.temperature", "Temperature"):
            gr.HTML(curves, elem_id="chart-temperature")
            gr.Markdown((ASSETS / "lessons" / "temperature.md").read_text(encoding="utf-8"), elem_classes="dgm-card")
    with p.view(f"{ID}.meaning", "What the figures mean"):
        gr.Markdown((ASSETS / "lessons" / "board.md").read_text(encoding="utf-8"), elem_classes="dgm-card")
    return live


def _data(_: list[p.Laid]) -> p.Laid:
    sets = tuple(catalog.data_sets())
    field = widgets.data_choice(sets)
    return p.Laid("data", [field], lambda value: one_of(value, "Data set", sets), [field.component.input])
