"""Small charts as SVG that follow the page's colours. No gradio in here."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

WIDE, TALL, EDGE, FOOT, TOP = 560, 210, 12, 40, 34
BINS, MOST = 40, 1e9
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
LETTER, LINE = 8.2, 16  # about the width of a letter and the height of a line
Span = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Group:
    """Numbers of one kind, "data" or "model", with their name."""

    name: str
    values: Tensor
    kind: str


def histograms(groups: list[Group], marks: list[tuple[str, float]], axis: str) -> str:
    """Histograms over one axis, each as a share of its own group, and marks with their names. The ends hold what lies beyond."""
    joined = torch.cat([group.values for group in groups])
    low, high = (float(joined.quantile(q)) for q in (0.005, 0.995))
    low, high = min([low, *(at for _, at in marks)]), max([high, *(at for _, at in marks)])
    span = max(high - low, 1e-6)
    x_of = lambda value: EDGE + (min(max(value, low), high) - low) / span * (WIDE - 2 * EDGE)  # noqa: E731
    floor, wide = TALL - FOOT, (WIDE - 2 * EDGE) / BINS
    counts = [torch.histc(group.values.clamp(low, high), BINS, low, low + span) / len(group.values) for group in groups]
    tallest = max(float(count.max()) for count in counts)
    names = ", ".join(group.name for group in groups)
    parts = [f'<svg class="dgm-chart dgm-histogram" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{html.escape(f"{axis}: {names}")}">']
    left = EDGE
    for group, count in zip(groups, counts, strict=True):
        for i, share in enumerate((count / tallest).tolist()):
            tall = share * (floor - TOP)
            parts.append(
                f'<rect class="{group.kind}" x="{EDGE + i * wide:.1f}" y="{floor - tall:.1f}" width="{wide - 1:.1f}" height="{tall:.1f}"/>'
            )
        parts.append(f'<rect class="{group.kind}" x="{left}" y="6" width="11" height="11"/>')
        parts.append(f'<text x="{left + 16}" y="16">{html.escape(group.name)}</text>')
        left += 40 + 8 * len(group.name)
    parts.append(f'<path class="axis" d="M{EDGE} {floor}H{WIDE - EDGE}"/>')
    for place, (name, at) in enumerate(marks):
        anchor = "end" if x_of(at) > WIDE / 2 else "start"
        parts.append(f'<path class="mark" d="M{x_of(at):.1f} {TOP - 8}V{floor}"/>')
        beside = x_of(at) + (-5 if anchor == "end" else 5)
        parts.append(f'<text class="over" x="{beside:.1f}" y="{TOP + 4 + 16 * place}" text-anchor="{anchor}">{html.escape(name)}</text>')
    parts.append(f'<text x="{EDGE}" y="{floor + 15}">{low:.1f}</text>')
    parts.append(f'<text x="{WIDE - EDGE}" y="{floor + 15}" text-anchor="end">{high:.1f}</text>')
    parts.append(f'<text x="{WIDE / 2}" y="{TALL - 6}" text-anchor="middle">{html.escape(axis)}</text>')
    return "\n".join([*parts, "</svg>"])


def lines(series: list[list[float]], axis: str, upwards: str) -> str:
    """Numbers over their place, one line a series, upwards on a logarithmic axis from 1 to MOST at most."""
    series = [[min(value, MOST) if value == value else MOST for value in each] for each in series]
    floor, most = TALL - FOOT, max(max(each) for each in series)
    reach = max(math.log10(max(most, 10.0)), 1.0)
    x_of = lambda i, count: 60 + i / max(1, count - 1) * (WIDE - EDGE - 60)  # noqa: E731
    y_of = lambda value: floor - math.log10(max(value, 1.0)) / reach * (floor - TOP)  # noqa: E731
    said = f"{upwards}: from {series[0][0]:,.0f} to {series[0][-1]:,.0f} in the first"
    parts = [f'<svg class="dgm-chart dgm-histogram" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{html.escape(said)}">']
    parts.append(f'<text x="{EDGE}" y="16">{html.escape(said)}</text>')
    parts.append(f'<path class="axis" d="M60 {TOP}V{floor}H{WIDE - EDGE}"/>')
    for power in range(int(reach) + 1):
        parts.append(f'<text class="small" x="54" y="{y_of(10**power) + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for values in series:
        path = " ".join(f"{x_of(i, len(values)):.1f},{y_of(value):.1f}" for i, value in enumerate(values))
        parts.append(f'<polyline class="line" points="{path}"/>')
    parts.append(f'<text x="{WIDE / 2}" y="{TALL - 6}" text-anchor="middle">{html.escape(axis)}</text>')
    return "\n".join([*parts, "</svg>"])


def decay(curves: dict[str, list[float]], axis: str, upwards: str, linear: bool = False) -> str:
    """Numbers over their place, a named line each; upwards on an axis that ends where they do, logarithmic for positive ones or linear."""
    floor, right = TALL - FOOT, WIDE - 130
    height = (lambda value: value) if linear else (lambda value: math.log10(max(value, 1e-6)))
    known = [height(value) for values in curves.values() for value in values if math.isfinite(value)]
    low, high = min(known), max(known)
    y_of = lambda value: floor - (height(value) - low) / max(high - low, 1e-6) * (floor - TOP)  # noqa: E731
    ticks = torch.linspace(low, high, 4).tolist() if linear else [10**power for power in range(math.ceil(low), math.floor(high) + 1)]
    said = ", ".join(f"{name} {values[-1]:.{1 if linear else 4}f}" for name, values in curves.items())
    label = html.escape(f"{upwards}, at the end: {said}")
    parts = [f'<svg class="dgm-chart dgm-histogram" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{label}">']
    parts.append(f'<text x="{EDGE}" y="16">{html.escape(upwards)}</text><path class="axis" d="M60 {TOP}V{floor}H{right}"/>')
    for tick in ticks:
        written = f"{tick:,.0f}" if linear else f"{tick:g}"
        parts.append(f'<text class="small" x="54" y="{y_of(tick) + 4:.1f}" text-anchor="end">{written}</text>')
    taken: list[float] = []
    for name, values in sorted(curves.items(), key=lambda curve: curve[1][-1], reverse=True):
        wide = (right - 60) / max(1, len(values) - 1)
        path = " ".join(f"{60 + i * wide:.1f},{y_of(value):.1f}" for i, value in enumerate(values) if math.isfinite(value))
        at = y_of(values[-1]) + 4 if math.isfinite(values[-1]) else TOP
        while any(abs(at - other) < 14 for other in taken):
            at += 1  # names of lines that end together stand below each other
        taken.append(at)
        parts.append(f'<polyline class="line" points="{path}"/><text class="small" x="{right + 5}" y="{at:.1f}">{html.escape(name)}</text>')
    parts.append(f'<text x="{(60 + right) / 2}" y="{TALL - 6}" text-anchor="middle">{html.escape(axis)}</text>')
    return "\n".join([*parts, "</svg>"])


OVER = {"compute": "operations spent, 6 × parameters × letters seen", "parameters": "parameters", "data": "different letters read"}


def course(points: Sequence[tuple[float, float]], axis: str, upwards: str, wide: int = WIDE) -> str:
    """A way through two figures, from a hollow dot on; both axes end where it does."""
    left, floor, right = 66, TALL - FOOT, wide - EDGE
    (low_x, high_x), (low, high) = ((min(each), max(each)) for each in zip(*points, strict=True))
    x_of = lambda x: left + (x - low_x) / max(high_x - low_x, 1e-6) * (right - left - 8)  # noqa: E731
    y_of = lambda y: floor - (y - low) / max(high - low, 1e-6) * (floor - TOP)  # noqa: E731
    said = html.escape(f"{upwards}: from {points[0][1]:.1f} to {points[-1][1]:.1f}; {axis}: {points[-1][0]:.2f} at the end")
    parts = [f'<svg class="dgm-chart dgm-histogram" viewBox="0 0 {wide} {TALL}" role="img" aria-label="{said}">']
    parts.append(f'<text x="{EDGE}" y="16">{html.escape(upwards)}</text><path class="axis" d="M{left} {TOP}V{floor}H{right}"/>')
    for y in (low, high):
        parts.append(f'<text class="small" x="{left - 6}" y="{y_of(y) + 4:.1f}" text-anchor="end">{y:.1f}</text>')
    for x, anchor in ((low_x, "start"), (high_x, "end")):
        parts.append(f'<text class="small" x="{x_of(x):.1f}" y="{floor + 16}" text-anchor="{anchor}">{x:.2f}</text>')
    parts.append(f'<polyline class="line" points="{" ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in points)}"/>')
    for place, (x, y) in enumerate(points):
        fill = "var(--dgm-model)" if place else "var(--body-background-fill)"
        dot = f'cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3.5" style="fill:{fill}"'
        parts.append(f'<circle class="line" {dot}><title>{place + 1} of {len(points)}</title></circle>')
    parts.append(f'<text x="{(left + right) / 2}" y="{TALL - 6}" text-anchor="middle">{html.escape(axis)}</text>')
    return "\n".join([*parts, "</svg>"])


def scaling(runs: Sequence[dict[str, Any]], over: str) -> str:
    """Held-out nats of training runs over compute as they learned, or at their best over parameters or data; the first axis logarithmic.

    A colour a size; a line that is more broken learned from less. runs: of `evaluation.scaling`.
    """
    wide, tall, left, right, foot = 760, 300, 60, 16, 44
    floor, end = tall - foot, wide - right
    best = lambda run: min(nats for _, nats in run["curve"])  # noqa: E731
    sizes, shares = (sorted({run[key] for run in runs}) for key in ("parameters", "letters"))
    spent = lambda run, step: 6 * run["parameters"] * run["batch"] * step  # noqa: E731
    if over == "compute":
        series = [(run["parameters"], run["letters"], [(spent(run, step), nats) for step, nats in run["curve"]]) for run in runs]
    elif over == "parameters":
        series = [(None, share, [(run["parameters"], best(run)) for run in runs if run["letters"] == share]) for share in shares]
    else:
        series = [(size, None, [(run["letters"], best(run)) for run in runs if run["parameters"] == size]) for size in sizes]
    flat = [point for _, _, points in series for point in points]
    low, high = (math.log10(edge(x for x, _ in flat)) for edge in (min, max))
    least, most = min(y for _, y in flat) - 0.05, min(3.0, max(y for _, y in flat) + 0.05)
    x_of = lambda x: left + (math.log10(x) - low) / max(high - low, 1e-6) * (end - left - 10)  # noqa: E731
    y_of = lambda y: floor - (min(y, most) - least) / (most - least) * (floor - EDGE)  # noqa: E731
    colour = lambda size: "var(--body-text-color)" if size is None else f"hsl({25 + 190 * sizes.index(size) / len(sizes):.0f} 65% 42%)"  # noqa: E731
    dash = lambda share: "" if share is None else ("", "7 3", "2 4")[len(shares) - 1 - shares.index(share)]  # noqa: E731
    parts = [f'<svg class="dgm-chart" viewBox="0 0 {wide} {tall}" role="img" aria-label="held-out nats a letter over {OVER[over]}">']
    parts.append(f'<path d="M{left} {EDGE}V{floor}H{end}" class="axis"/>')
    for step in range(math.ceil(least * 4), math.floor(most * 4) + 1):
        parts.append(f'<text x="{left - 8}" y="{y_of(step / 4) + 5:.0f}" text-anchor="end">{step / 4:.2f}</text>')
    for power in range(math.ceil(low - 0.02), math.floor(high) + 1):
        raised = "".join(RAISED[int(digit)] for digit in str(power))
        parts.append(f'<text x="{x_of(10**power):.0f}" y="{floor + 20}" text-anchor="middle">10{raised}</text>')
    for size, share, points in series:
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in points)
        style = f'fill="none" stroke-width="2.2" style="stroke:{colour(size)}" stroke-dasharray="{dash(share)}"'
        parts.append(f'<polyline points="{path}" {style}/>')
        if over != "compute":
            parts += [f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="4" style="fill:{colour(size)}"/>' for x, y in points]
    key = [(f"{size / 1e6:.1f} M parameters", colour(size), "") for size in sizes if over != "parameters"]
    key += [(f"{share / 1e6:.2f} M letters", "var(--body-text-color)", dash(share)) for share in reversed(shares) if over != "data"]
    drawn = (
        f'<span><svg viewBox="0 0 30 10" width="30" height="10" aria-hidden="true"><path d="M0 5h30" fill="none" stroke-width="2.2" '
        f'style="stroke:{stroke}" stroke-dasharray="{broken}"/></svg> {name}</span>'
        for name, stroke, broken in key
    )
    parts.append(f'<text x="{(left + end) / 2}" y="{tall - 6}" text-anchor="middle">{OVER[over]}</text>')
    parts.append(f'<text transform="translate(15 {(EDGE + floor) / 2}) rotate(-90)" text-anchor="middle">nats a letter</text>')
    return "\n".join([*parts, "</svg>", f'<div class="dgm-key">{"".join(drawn)}</div>'])


def stairs(series: list[list[int]], names: Sequence[str], axis: str, said: str) -> str:
    """Labels over their place, a stair a series, a little apart so that none hides another; a sentence at the top."""
    floor, left = TALL - FOOT, 34
    parts = [f'<svg class="dgm-chart dgm-histogram" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{html.escape(said)}">']
    parts.append(f'<text x="{EDGE}" y="16">{html.escape(said)}</text>')
    row = (floor - TOP) / len(names)
    y_of = lambda digit: floor - (digit + 0.5) * row  # noqa: E731
    for digit, name in enumerate(names):
        parts.append(f'<text class="small" x="{left - 8}" y="{y_of(digit) + 4:.1f}" text-anchor="end">{html.escape(name)}</text>')
    for place, values in enumerate(series):
        shift = ((place + 0.5) / len(series) - 0.5) * 0.8 * row
        wide = (WIDE - EDGE - left) / max(1, len(values))
        path = " ".join(f"{left + (i + step) * wide:.1f},{y_of(digit) + shift:.1f}" for i, digit in enumerate(values) for step in (0, 1))
        parts.append(f'<polyline class="line" points="{path}"/>')
    parts.append(f'<path class="axis" d="M{left} {TOP}V{floor}H{WIDE - EDGE}"/>')
    parts.append(f'<text x="{WIDE / 2}" y="{TALL - 6}" text-anchor="middle">{html.escape(axis)}</text>')
    return "\n".join([*parts, "</svg>"])


def shares(posterior: Tensor, names: Sequence[str], said: str) -> str:
    """p(y | ...), (k,), as bars in percent, the most likely label named in the sentence at the top."""
    percent = [100 * float(each) for each in posterior]
    return bars(percent, list(names), "label y", f"{said}: a {names[int(posterior.argmax())]}, in percent")


def bars(values: list[float], names: list[str], axis: str, said: str) -> str:
    """A bar a name, upwards from 0, its value over it; a sentence at the top."""
    floor, wide = TALL - FOOT, (WIDE - 2 * EDGE) / len(values)
    tallest = max(max(values), 1e-9)
    parts = [f'<svg class="dgm-chart dgm-histogram" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{html.escape(said)}">']
    parts.append(f'<text x="{EDGE}" y="14">{html.escape(said)}</text>')
    for i, (value, name) in enumerate(zip(values, names, strict=True)):
        tall, left = max(value, 0) / tallest * (floor - TOP - 12), EDGE + i * wide
        parts.append(f'<rect class="model" x="{left + 1:.1f}" y="{floor - tall:.1f}" width="{wide - 3:.1f}" height="{tall:.1f}"/>')
        parts.append(f'<text class="small" x="{left + wide / 2:.1f}" y="{floor - tall - 3:.1f}" text-anchor="middle">{value:.0f}</text>')
        parts.append(f'<text class="small" x="{left + wide / 2:.1f}" y="{floor + 13}" text-anchor="middle">{html.escape(name)}</text>')
    parts.append(f'<text x="{WIDE / 2}" y="{TALL - 6}" text-anchor="middle">{html.escape(axis)}</text>')
    return "\n".join([*parts, "</svg>"])


Dot = tuple[float, float, float, str]  # place, worth, title


def planes(panels: Sequence[tuple[str, list[Dot]]], across: str, upwards: str, xs: Span, ys: Span, worth: Span) -> str:
    """Dots in a plane a group, one below the other over the same axes, which are named above; the bluer the more each is worth. What lies
    beyond stands at the edge."""
    wide, tall, left, floor = 420, 142, 38, 120
    parts = [f'<p class="dgm-hint">{html.escape(upwards)} over {html.escape(across)}</p>']
    x_of = lambda x: left + (min(max(x, xs[0]), xs[1]) - xs[0]) / (xs[1] - xs[0]) * (wide - left - EDGE)  # noqa: E731
    y_of = lambda y: floor - (min(max(y, ys[0]), ys[1]) - ys[0]) / (ys[1] - ys[0]) * (floor - 24)  # noqa: E731
    for name, dots in panels:
        label = html.escape(f"{name}: {len(dots)} molecules, {upwards} over {across}")
        parts.append(f'<svg class="dgm-chart" viewBox="0 0 {wide} {tall}" role="img" aria-label="{label}">')
        parts.append(f'<text x="{left}" y="14">{html.escape(name)}</text><path class="axis" d="M{left} 22V{floor}H{wide - EDGE}"/>')
        for y in ys:
            parts.append(f'<text class="small" x="{left - 5}" y="{y_of(y) + 4:.0f}" text-anchor="end">{y:g}</text>')
        for x in xs:
            anchor = "start" if x == xs[0] else "end"
            parts.append(f'<text class="small" x="{x_of(x):.0f}" y="{floor + 15}" text-anchor="{anchor}">{x:g}</text>')
        for x, y, value, title in sorted(dots, key=lambda dot: dot[2]):
            share = (value - worth[0]) / max(worth[1] - worth[0], 1e-6)
            fill = f"color-mix(in oklab, var(--dgm-accent) {100 * share:.0f}%, var(--dgm-mask))"
            dot = f'cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="4.5" style="fill:{fill};fill-opacity:.75"'
            parts.append(f"<circle {dot}><title>{html.escape(title)}: {value:.2f}</title></circle>")
        parts.append("</svg>")
    return "\n".join(parts)


def against(asked: list[float], measured: list[float], titles: Sequence[str], name: str, said: str) -> str:
    """What was measured over what was asked for, a dot each, and the line where both are one."""
    if len(asked) < 2:
        raise ValueError(f"{said}: too few for a picture. Take another seed.")
    wide, tall, left, foot = 640, 385, 62, 46
    low, high = (edge([*asked, *measured]) for edge in (min, max))
    low, high = low - 0.03 * (high - low), high + 0.03 * (high - low) + 1e-6
    floor, end = tall - foot, wide - EDGE
    x_of = lambda value: left + (value - low) / (high - low) * (end - left)  # noqa: E731
    y_of = lambda value: floor - (value - low) / (high - low) * (floor - 30)  # noqa: E731
    correlation = float(torch.corrcoef(torch.tensor([asked, measured]))[0, 1])
    line = f"{said}; correlation {correlation:.2f}"
    parts = [f'<svg class="dgm-chart" viewBox="0 0 {wide} {tall}" role="img" aria-label="{html.escape(f"{name}: {line}")}">']
    parts.append(f'<text x="{left}" y="16">{html.escape(line)}</text><path class="axis" d="M{left} 24V{floor}H{end}"/>')
    parts.append(f'<path class="axis" stroke-dasharray="4 5" d="M{left} {floor}L{end} 30"/>')
    for tick in torch.linspace(low, high, 6).tolist()[1:-1]:
        parts.append(f'<text x="{left - 7}" y="{y_of(tick) + 5:.0f}" text-anchor="end">{tick:.1f}</text>')
        parts.append(f'<text x="{x_of(tick):.0f}" y="{floor + 19}" text-anchor="middle">{tick:.1f}</text>')
    for x, y, title in zip(asked, measured, titles, strict=True):
        dot = f'cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="4"'
        parts.append(f'<circle class="model" {dot}><title>{html.escape(title)}: asked {x:.1f}, measured {y:.1f}</title></circle>')
    parts.append(f'<text x="{(left + end) / 2}" y="{tall - 6}" text-anchor="middle">asked for: {html.escape(name)}</text>')
    parts.append(f'<text transform="translate(15 {floor / 2:.0f}) rotate(-90)" text-anchor="middle">measured</text>')
    return "\n".join([*parts, "</svg>"])


def trade_offs(curves: dict[str, list[tuple[float, float, float]]]) -> str:
    """Precision over recall, both from 0 to 1: a line a name through its (temperature, precision, recall), the first dot hollow.
    The key stands below, where it has room on a phone too."""
    if not curves:
        return ""
    wide, tall, left, right, foot = 760, 380, 70, 24, 48
    floor, end = tall - foot, wide - right
    x_of, y_of = (lambda value: left + value * (end - left)), (lambda value: floor - value * (floor - EDGE))
    parts = [
        f'<svg class="dgm-chart" viewBox="0 0 {wide} {tall}" role="img" aria-label="precision against recall at several temperatures">',
        f'<path d="M{left} {EDGE}V{floor}H{end}" class="axis"/>',
        f'<text x="{(left + end) / 2}" y="{tall - 8}" text-anchor="middle">recall: diversity</text>',
        f'<text transform="translate(14 {(EDGE + floor) / 2}) rotate(-90)" text-anchor="middle">precision: fidelity</text>',
    ]
    for share in (0, 0.5, 1):
        parts.append(f'<text x="{x_of(share):.0f}" y="{floor + 18}" text-anchor="middle">{share:g}</text>')
        parts.append(f'<text x="{left - 8}" y="{y_of(share) + 4:.0f}" text-anchor="end">{share:g}</text>')
    key = []
    for place, (name, curve) in enumerate(sorted(curves.items(), key=lambda item: -item[1][-1][2])):
        shade = f"hsl({place * 360 // len(curves)} 60% 45%)"
        points = [(temperature, x_of(recall), y_of(precision)) for temperature, precision, recall in curve]
        path = " ".join(f"{x:.1f},{y:.1f}" for _, x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{shade}" stroke-width="2"/>')
        for i, (temperature, x, y) in enumerate(points):
            fill = shade if i else "var(--body-background-fill)"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" style="fill:{fill};stroke:{shade};stroke-width:2">'
                f"<title>{html.escape(name)}, temperature {temperature:g}</title></circle>"
            )
        key.append(f'<span><i style="background:{shade}"></i>{html.escape(name)}</span>')
    return "\n".join([*parts, "</svg>", f'<div class="dgm-key">{"".join(key)}</div>'])


def beside(dots: list[tuple[float, float]], titles: list[str], radius: float, within: Box) -> list[tuple[float, float, str]]:
    """Where the title of each dot stands, x, base line and anchor: right of it, else left, above, below or at a slant, whichever of these
    first covers no dot and no title placed before and reaches nowhere outside; failing all, where it does so least."""
    taken: list[Box] = [(x - radius, y - radius, x + radius, y + radius) for x, y in dots]
    away, found = radius + 4, []
    ways = [(away, 0, "start"), (-away, 0, "end"), (0, -LINE, "middle"), (0, LINE, "middle")]
    ways += [(side * radius, down * LINE, "start" if side > 0 else "end") for side in (1, -1) for down in (-1, 1)]
    for (x, y), title in zip(dots, titles, strict=True):
        wide, costs = LETTER * len(title), []
        for right, down, anchor in ways:
            left, middle = x + right - wide * {"start": 0, "middle": 0.5, "end": 1}[anchor], y + down
            box = (left, middle - LINE / 2, left + wide, middle + LINE / 2)
            cost = sum(_shared(box, other) for other in taken) - _shared(box, within)
            costs.append((round(cost, 3), len(costs), box, (x + right, middle + 4, anchor)))
        *_, box, place = min(costs)
        taken.append(box)
        found.append(place)
    return found


def _shared(one: Box, other: Box) -> float:
    """The area that both cover."""
    across, down = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, down)
