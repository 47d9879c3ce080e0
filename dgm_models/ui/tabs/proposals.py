"""Views of the molecules tab: what models propose for a reward that a person mixes, and what a reward does to variety."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import gradio as gr

from dgm_models import catalog, weights
from dgm_models.applications import proposals as a
from dgm_models.contracts import Frame
from dgm_models.modalities.molecule import GOALS
from dgm_models.modalities.views import view_of
from dgm_models.ui import charts, widgets
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import number
from dgm_models.ui.widgets import Live

SHOWN = 6  # molecules of each model, in a row
AT_FIRST = dict(zip(GOALS, (1.0, 0.0, 0.0, 0.0, 0.0), strict=True))
COLLAPSE = 16


def reward(address: str) -> Live:
    """A reward is mixed; what is proposed for it, in molecules and in a plane of their properties."""
    page, chart = p.player("molecules-reward"), p.chart("proposals")
    words = "One reward, mixed by you. Maximise it, or draw in proportion to it? Blue dots are worth more."
    with p.view(address, "Reward", words):
        live = p.wired(
            address,
            [
                p.column(
                    3,
                    _weights,
                    p.seed(),
                    "More of it: to the right. Less: to the left. No reward here is potency or toxicity: nothing was checked for danger.",
                    width=210,
                ),
                p.column(9, page, width=300),
                p.column(6, chart, width=300),
            ],
            _proposed,
            order=[page, chart],
        )
        p.folded("proposals", [a.IN_PROPORTION, a.MAXIMISE])
    return live


def _weights(_: list[p.Laid]) -> p.Laid:
    """How much each goal weighs, from -1 to 1."""
    sliders = {name: gr.Slider(-1, 1, value=value, step=0.1, label=name) for name, value in AT_FIRST.items()}
    fields = [widgets.Field(name.split()[-1].lower(), slider, float) for name, slider in sliders.items()]

    def read(*values: Any) -> tuple[float, ...]:
        return tuple(number(value, name, -1, 1) for name, value in zip(sliders, values, strict=True))

    return p.Laid("mix", fields, read, widgets.moves(fields))


def _proposed(mix: tuple[float, ...], seed: int) -> list[Any]:
    """The first few molecules of each model, all of them as dots, and what they are worth together."""
    rows, panels, lines, receipts = [], [], [], []
    known = [id for id in a.HEED if id in weights.manifest()]
    made = {id: a.proposed(id, mix, seed) for id in known}
    worths = [float(each) for one in made.values() for each in one.worth]
    ends = (min(worths, default=0), max(worths, default=1))
    for id, one in made.items():
        title = catalog.recipe(id).title
        frames = [Frame(frame.x[:SHOWN], frame.note) for frame in one.drawn.frames]
        rows.append(Row(frames, SHOWN, title=f"{title}: {a.HEED[id]}", view=view_of(catalog.dataset(id).space)))
        lines.append(_told(title, one))
        dots = [(float(x), float(y), float(w), s) for (x, y, _), w, s in zip(one.properties, one.worth, one.strings, strict=True)]
        panels.append((f"{title}: {a.HEED[id]}", dots))
        receipts.append(f"{title} {one.drawn.receipt.cost}")
    scatter = charts.planes(panels, "logP", "polar surface, Å²", (-3.0, 4.0), (0.0, 120.0), ends)
    return [Film(rows, f"proposals-{seed}", " · ".join(receipts)), f"{scatter}{_table(lines)}"]


def policy(address: str) -> Live:
    """The GPT of QM9 is tuned to a mixed reward here and now, and loses its variety, or keeps it for a price."""
    page, chart = p.player("molecules-policy"), p.chart("policy")
    words = "Train a GPT to earn the reward, here and now. Without a price on its distance it ends with one molecule: raise β."
    with p.view(address, "Tune a policy", words):
        live = p.wired(
            address,
            [
                p.column(3, _weights, p.knobs(a.PolicySettings), p.seed(), p.press("Train"), width=210),
                p.column(9, page, width=300),
                p.column(6, chart, width=300),
            ],
            _tuned,
            order=[page, chart],
        )
        p.folded("policy", [a.GPT])
    return live


def _tuned(mix: tuple[float, ...], seed: int, settings: a.PolicySettings) -> Iterator[list[Any]]:
    """A row of molecules of the same seeds before and after each part of the steps; reward over distance; what became of variety."""
    look = view_of(catalog.dataset(a.GPT).space)
    for state in a.tuned(mix, seed, settings):
        rows, lines = [], []
        for step, stage in state.stages:
            name = f"after {step} steps" if step else "before"
            rows.append(Row([Frame(frame.x[:SHOWN], frame.note) for frame in stage.drawn.frames], SHOWN, title=name, view=look))
            lines.append(_told(name, stage))
        course = [(report.distance, report.reward) for report in state.reports]
        line = charts.course(course, "KL(tuned ‖ as it was), nats", "reward of a string drawn", 420) if course else ""
        told = f"{line}{_table(lines)}"
        if state.over:
            receipt = (
                f"reward {course[0][1]:.2f}, after {settings.steps} steps {course[-1][1]:.2f} · KL {course[-1][0]:.1f} nats a molecule · "
                f"{a.GPT}, its last block trained here and now · seed {seed}"
            )
            yield [Film(rows, f"policy-{seed}", receipt), told]
        else:
            yield [Film(rows, receipt=f"step {len(course)} of {settings.steps}", partial=True), told]


def _told(name: str, one: a.Proposed) -> str:
    """HTML: a line of what molecules are worth, and of their variety."""
    mean, found = f"{float(one.worth.mean()):.2f}" if len(one.worth) else "none", one.shares
    cells = (mean, f"{found.valid / found.count:.0%}", found.unique, f"{one.unlike:.2f}")
    return f"<tr><th>{html.escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _table(lines: list[str]) -> str:
    names = (f"of {a.COUNT}", "reward", "valid", "differ", "unlike")
    head = f"<thead><tr>{''.join(f'<th scope=col>{name}</th>' for name in names)}</tr></thead>"
    return f'<table class="dgm-told">{head}<tbody>{"".join(lines)}</tbody></table>'


def collapse(address: str) -> Live:
    """MolGAN taught by its critic alone, and with its reward."""
    page, chart = p.player("molecules-collapse"), p.chart("collapse")
    return p.panel(
        address,
        [
            p.column(2, p.seed(), "Each row: one model, sixteen codes. Nothing was chosen.", width=180),
            p.column(10, page, width=300),
            p.column(4, chart, width=250),
        ],
        _collapsed,
        "Collapse",
        "MolGAN taught by its critic alone, and by a reward too: how many are molecules, and how many of those are different?",
        order=[page, chart],
    )


def _collapsed(seed: int) -> list[Any]:
    """Two checkpoints: their graphs from the same codes, and what was measured of each."""
    rows, parts = [], []
    for id in (a.BEFORE, a.MAXIMISE):
        made = a.drawn(id, COLLAPSE, seed, catalog.family(id).Settings())
        title, scores = catalog.recipe(id).title, weights.manifest()[id].get("scores", {})
        frames = [frame._replace(note="") for frame in made.frames]
        rows.append(Row(frames, COLLAPSE // 2, title=title, view=view_of(catalog.dataset(id).space)))
        gauges = "".join(
            f'<div><b>{scores[key]:.1%}</b><i style="--share:{scores[key]:.3f}"></i>{name}</div>'
            for key, name in (("valid", "valid"), ("unique", "and different"), ("new", "and new"))
            if key in scores
        )
        parts.append(f'<h3>{html.escape(title)}</h3><div class="dgm-gauges">{gauges}</div>')
        receipt = str(made.receipt)
    said = (
        "Of 10,000 codes. The reward pays for each graph alone, and nothing for being unlike the others. The published one went the same "
        "way: 98.1 % valid, 10.2 % and different, 9.6 % and new (De Cao and Kipf, 2018)."
    )
    return [Film(rows, f"collapse-{seed}", receipt), f'{"".join(parts)}<p class="dgm-hint">{said}</p>']
