"""Molecules: strings that are drawn as they are written, what of them is a molecule and new, and what is asked for against what is made."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from dgm_models import catalog
from dgm_models.applications import molecules as m
from dgm_models.applications import typed
from dgm_models.contracts import Settings
from dgm_models.families.strings import StringSettings
from dgm_models.modalities.molecule import PROPERTIES, SIDE, drawing
from dgm_models.modalities.views import view_of
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.card import figures
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import whole
from dgm_models.ui.tabs.language import heat
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "molecules", "Molecules", m.GPT
TYPICAL = "CC(=O)Oc1ccccc1C(=O)O"  # aspirin
COUNT, ACROSS = 12, 4  # molecules shown, and in a row
RANGES = {
    "logP": (-3.0, 3.0, 1.0, 0.1),
    "polar surface": (0.0, 110.0, 40.0, 5.0),
    "heavy atoms": (5.0, 9.0, 9.0, 1.0),
}  # low, high, at first, step
UNITS = {"logP": "", "polar surface": " Å²", "heavy atoms": ""}


def build() -> Live:
    page = p.Shown(lambda: widgets.player(ID, picks=True), is_player=True, place=("at", _at_from_text, _at_to_text))
    beside = p.Shown(lambda: gr.HTML(elem_id="molecule"))

    def drawn(wish: tuple[float, ...] | None, seed: int, settings: Settings, at: Any) -> list[Any]:
        made = m.drawn(MODEL, COUNT, seed, settings, wish)
        row = Row(made.frames, ACROSS, view=view_of(catalog.dataset(MODEL).space))
        film = Film([row], f"{ID}-{seed}", str(made.receipt))
        return [film, _beside(made, at)]

    with p.view(ID, "Draw"):
        live = p.wired(
            ID,
            [
                p.column(3, _wish, p.seed(), _sampling, width=210),
                p.column(10, page, width=300),
                p.column(5, beside, width=270),
            ],
            drawn,
            order=[page, beside],
            api_name=ID,
        )
        with gr.Accordion("The idea, limits, figures", open=False), gr.Row():
            with gr.Column(scale=3, min_width=300):
                p.lesson("molecules")
            with gr.Column(scale=2, min_width=300):
                gr.HTML(figures(MODEL), elem_classes="dgm-card")
    live.parts["typed"] = _typed()
    return live


def _typed() -> Live:
    return p.panel(
        f"{ID}.typed",
        [
            p.column(
                3,
                _smiles_box,
                p.press("Read"),
                "A string of SMILES: letters are atoms, = and # bonds, brackets branches, digits close rings.",
                width=230,
            ),
            p.column(6, p.chart("molecule-drawing"), width=280),
            p.column(6, p.chart("molecule-facts"), width=280),
        ],
        _read,
        "Your molecule",
        "What RDKit reads in a string, and what each of its letters costs the model.",
    )


def _smiles_box(_: list[p.Laid]) -> p.Laid:
    box = gr.Textbox(TYPICAL, label="SMILES", lines=1, max_lines=1)
    return p.Laid("smiles", [widgets.Field("smiles", box, costly=False)], lambda text: text or "", [box.submit], p.PICTURE)


def _read(smiles: str) -> list[Any]:
    """A typed string: drawn, measured, and in the colours of its surprise."""
    known, parts = typed.read(smiles)
    picture = _picture(known.smiles, parts) if parts else '<p class="dgm-hint">Nothing of it can be drawn.</p>'
    try:
        tokens, nats = m.surprise(MODEL, known.smiles)
        said = f"{float(nats.sum()):.1f} nats in all, its end included"
        cost = f"{heat(tokens, nats.tolist())}<p class='dgm-hint'>{said}. White: foreseen. Red: a surprise.</p>"
    except ValueError as error:
        cost = f'<p class="dgm-hint">{html.escape(str(error))}</p>'
    return [f'<div class="dgm-typed">{picture}{cost}</div>', _told(known, None)]


def _sampling(before: list[p.Laid]) -> p.Laid:
    with gr.Accordion("Advanced", open=False):
        return p.knobs(StringSettings, only=("temperature", "top_p", "guidance_scale"))(before)


def _wish(_: list[p.Laid]) -> p.Laid:
    """What is asked for: nothing, or a number a property."""
    ask = gr.Checkbox(False, label="Ask for this")
    fields = [widgets.Field("ask", ask, lambda text: text == "True")]
    for name, (low, high, value, step) in RANGES.items():
        slider = gr.Slider(low, high, value=value, step=step, label=name + UNITS[name])
        fields.append(widgets.Field(name.replace(" ", "_").lower(), slider, float))

    def read(asks: bool, *values: float) -> tuple[float, ...] | None:
        return tuple(_within(name, value) for name, value in zip(RANGES, values, strict=True)) if asks else None

    return p.Laid("wish", fields, read, widgets.moves(fields))


def _within(name: str, value: Any) -> float:
    low, high, *_ = RANGES[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise ValueError(f"{name}: expected a number from {low:g} to {high:g}, got {str(value)[:40]!r}")
    return float(value)


def _beside(made: m.Drawn, at: Any) -> str:
    """HTML: how many of the strings are molecules, different, new; and of the one that was clicked, or of the first, what is known."""
    found = m.shares(made.smiles)
    gauges = "".join(
        f'<div><b>{number} of {found.count}</b><i style="--share:{number / found.count:.3f}"></i>{name}</div>'
        for name, number in (("are molecules", found.valid), ("are different ones", found.unique), ("are new", found.new))
    )
    chosen = (
        _tile(at) if isinstance(at, dict) and set(at) == {"at"} else next((i for i, each in enumerate(made.smiles) if m.canonical(each)), 0)
    )
    return f'<div class="dgm-gauges">{gauges}</div>{_told(m.told(made.smiles[chosen]), made.asked)}'


def _told(told: m.Told, asked: tuple[float, ...] | None) -> str:
    """HTML: one molecule, what can be computed of it, and the most alike of those held out."""
    name = f'<p class="dgm-smiles">{html.escape(told.smiles) or "an empty string"}</p>'
    if told.facts is None:
        return f"{name}<p>No molecule: {html.escape(told.wrong)}.</p>"
    known = told.facts
    measured = {"logP": known.logp, "polar surface": known.surface, "heavy atoms": float(known.atoms)}
    wishes = dict(zip(PROPERTIES, asked, strict=True)) if asked else {}
    rows = [
        ("formula", "".join(f"<sub>{c}</sub>" if c.isdigit() else html.escape(c) for c in known.formula)),
        ("weight", f"{known.weight:.1f} g/mol"),
    ]
    for each, value in measured.items():
        said = f"{value:.{0 if each == 'heavy atoms' else 1}f}{UNITS[each]}"
        rows.append((each, said + (f" <small>asked: {wishes[each]:g}</small>" if each in wishes else "")))
    rows += [("drug-likeness QED", f"{known.qed:.2f}"), ("rings", str(known.rings))]
    rows.append(("learned from", "no: it is new" if told.new else "yes"))
    table = "".join(f"<tr><th>{each}</th><td>{said}</td></tr>" for each, said in rows)
    near = f"<p>Most alike of 1,000 that were held out (Tanimoto {told.alike:.2f}): {html.escape(told.nearest)}</p>{_picture(told.nearest)}"
    return f'{name}<table class="dgm-figures dgm-facts">{table}</table>{near}'


def _picture(smiles: str, parts: list[list[Any]] | None = None) -> str:
    """SVG of a molecule, of its parts where they are known."""
    paths = "".join(
        f'<path class="{"letter" if filled else "bond"} {element}" d="{path}"/>' for _, path, element, filled in parts or drawing(smiles)
    )
    return f'<svg class="dgm-molecule" viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="{html.escape(smiles)}">{paths}</svg>'


def _tile(at: dict[str, Any]) -> int:
    return whole(at["at"], "Molecule", 0, COUNT - 1)


def _at_from_text(text: str) -> dict[str, int] | None:
    return {"at": widgets.whole_from_text(text)} if text else None


def _at_to_text(at: Any) -> str:
    return str(_tile(at)) if isinstance(at, dict) and set(at) == {"at"} else ""
