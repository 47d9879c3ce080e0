"""My digit: draw it once, and every family says what it can."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.likelihood import Verdict, nearness, png_bits, verdict_of, verdict_of_reader
from dgm_models.applications.receipt import spent
from dgm_models.modalities import image
from dgm_models.turns import paced
from dgm_models.ui import panel as p
from dgm_models.ui.widgets import Live

HEADS = ("model", "log p(x), nats", "bits a pixel", "", "says", "p(y | x) for y = 0 to 9", "took")
ID, TITLE = "my-digit", "My digit"
KINDS = {"exact": "exact", "lower bound": "at least this", "estimate": "an estimate", "unnormalised": "up to a constant"}


def build() -> Live:
    return p.panel(
        ID,
        [
            p.column(2, p.pad("judged", 18), p.press("Ask every model")),
            p.column(
                8,
                p.Shown(lambda: gr.HTML(elem_id="verdict")),
                "A model of p(x | y) is also a classifier: by Bayes' rule p(y | x) is p(x | y) over its sum. Compare log p(x) with care: "
                "a bound may be loose, and only models of the same 8-bit levels measure the same thing.",
                width=300,
            ),
        ],
        _judged,
        TITLE,
        api_name=ID,
    )


def _judged(x: Tensor) -> Iterator[list[Any]]:
    """The reader first, which is quick; then a model after the other, those with most bits of likelihood above."""
    if not x.any():
        raise ValueError("Digit: there is nothing on the pad yet. Draw a digit, or take another one")
    ids, verdicts, reader = catalog.models_for("sample"), [], verdict_of_reader(x)
    for count, id in enumerate(paced(ids)):
        yield [_shown(x, [*verdicts, reader], f"at work: {catalog.recipe(id).title}, {count + 1} of {len(ids)}")]
        verdicts.append(verdict_of(id, x))
        verdicts.sort(key=_place)
    yield [_shown(x, [*verdicts, reader])]


def _place(verdict: Verdict) -> tuple[bool, float]:
    """Fewer bits first; last who has nothing to say."""
    return verdict.posterior is None, float("inf") if verdict.bits is None else verdict.bits


def _shown(x: Tensor, verdicts: list[Verdict], doing: str = "") -> Callable[[str], str]:
    said = f'<p class="dgm-doing">{html.escape(doing)}</p>' if doing else ""
    return lambda link: _distance(x) + said + _table(verdicts, png_bits(x), link)


def _distance(x: Tensor) -> str:
    """HTML: the picture, the nearest training digit, and how far that is."""
    near = nearness(x)
    pair = image.data_url(image.enlarge(image.tile(torch.cat([x, near.nearest]), 2), 2))
    said = (
        f"The nearest of the 200 training digits that ship lies {near.distance:.1f} away: further than {near.further_than:.0%} of test "
        "digits have it. Far from all that it learned from, a model may read a picture wrongly and be sure of it."
    )
    return f'<p class="dgm-near"><img src="{pair}" alt="your digit, and the nearest training digit"/><span>{said}</span></p>'


def _table(verdicts: list[Verdict], png: float, link: str) -> str:
    """HTML: a row a model; without the last column where times are left out."""
    heads = HEADS if spent(0) else HEADS[:-1]
    lines = ["<tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"]
    for each in verdicts:
        nats = "–" if each.nats is None else f"{each.nats:,.0f}"
        bits = "–" if each.bits is None else f"{each.bits:.2f}"
        said = "–" if each.posterior is None else f"<b>{int(each.posterior.argmax())}</b>"
        kind = html.escape(KINDS.get(each.kind, each.kind)) + (", in black and white" if each.binary else "")
        cells = [html.escape(each.title), nats, bits, f"<small>{kind}</small>", said, _bars(each), spent(each.milliseconds)]
        lines.append("<tr>" + f"<th>{cells[0]}</th>" + "".join(f"<td>{cell}</td>" for cell in cells[1 : len(heads)]) + "</tr>")
    gaps = "<td></td>" * (len(heads) - 4)
    lines.append(f"<tr><th>PNG file</th><td>–</td><td>{png:.2f}</td><td><small>knows nothing of digits</small></td>{gaps}</tr>")
    table = f'<div class="dgm-board"><table>\n{chr(10).join(lines)}\n</table></div>'
    return f'{table}\n<a class="dgm-hint" href="{html.escape(link)}">link to this result</a>'


def _bars(verdict: Verdict) -> str:
    """Ten bars as SVG, or nothing."""
    if verdict.posterior is None:
        return ""
    bars = []
    for digit, share in enumerate(verdict.posterior.tolist()):
        high = 22 * share
        bars.append(
            f'<rect x="{digit * 16 + 2}" y="{24 - high:.1f}" width="12" height="{high:.1f}"><title>{digit}: {share:.1%}</title></rect>'
        )
        bars.append(f'<text x="{digit * 16 + 8}" y="35" text-anchor="middle">{digit}</text>')
    label = f"{verdict.title}: " + ", ".join(
        f"{digit} {share:.0%}" for digit, share in enumerate(verdict.posterior.tolist()) if share > 0.005
    )
    return f'<svg class="dgm-bars" viewBox="0 0 160 38" role="img" aria-label="{html.escape(label)}">{"".join(bars)}</svg>'
