"""Molecules: drawn as they are written or built, what of them is a molecule and new, and what is asked for against what is made."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from typing import Any

import gradio as gr

from dgm_models import catalog, weights
from dgm_models.applications import molecules as m
from dgm_models.applications import proposals, typed
from dgm_models.families.strings import StringSettings
from dgm_models.modalities.molecule import PROPERTIES, SIDE, drawing, facts, of_parts
from dgm_models.modalities.views import view_of
from dgm_models.ui import charts, widgets
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import number, one_of, refusing, whole, yes_or_no
from dgm_models.ui.tabs.language import heat
from dgm_models.ui.tabs.proposals import collapse, policy, reward
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "molecules", "Molecules", m.GPT
TYPICAL = "CC(=O)Oc1ccccc1C(=O)O"  # aspirin
COUNT, ACROSS = 12, 4  # molecules shown, and in a row
RANGES = {
    "logP": (-3.0, 3.0, 1.0, 0.1),
    "polar surface": (0.0, 110.0, 40.0, 5.0),
    "heavy atoms": (5.0, 9.0, 9.0, 1.0),
}  # low, high, at first, step
ENDS = ("CC1CC1C(N)=O", "OCC#CC1CO1")
NO_DRUG = "Nothing here is a drug, and nothing was checked for danger."
STEPS, WISHES, MOST_ATOMS = 10, 120, 9
ELEMENTS = ("C", "N", "O", "F")  # of a piece that is drawn; it has no more atoms than its string may have letters
UNITS = {"logP": "", "polar surface": " Å²", "heavy atoms": ""}


def build() -> Live:
    page = p.Shown(lambda: widgets.player(ID, picks=True), is_player=True, place=("at", _at_from_text, _at_to_text))
    beside = p.Shown(lambda: gr.HTML(elem_id="molecule"))

    def drawn(model: str, wish: tuple[float, ...] | None, piece: str, seed: int, settings: StringSettings, at: Any) -> list[Any]:
        if wish is not None and model != MODEL:
            raise ValueError("Ask for this: only the GPT of QM9 hears these wishes. Choose it, or ask for nothing.")
        made = _with_piece(model, wish, piece, seed, settings) if piece else _free(model, wish, seed, settings)
        film = Film([Row(made.frames, ACROSS, view=view_of(catalog.dataset(model).space))], f"{ID}-{seed}", str(made.receipt))
        return [film, _beside(made, at)]

    with p.view(ID, "Draw"):
        live = p.wired(
            ID,
            [
                p.column(
                    3,
                    p.model_of(m.models()),
                    _wish,
                    _piece,
                    p.seed(),
                    _sampling,
                    NO_DRUG,
                    width=210,
                ),
                p.column(10, page, width=300),
                p.column(5, beside, width=270),
            ],
            drawn,
            order=[page, beside],
            api_name=ID,
        )
        p.folded("molecules", list(m.models().values()), _code())
    if {proposals.MAXIMISE, proposals.BEFORE, proposals.IN_PROPORTION} <= set(weights.manifest()):
        live.parts["reward"] = reward(f"{ID}.reward")
        live.parts["policy"] = policy(f"{ID}.policy")
        live.parts["collapse"] = collapse(f"{ID}.collapse")
    if m.VAE in weights.manifest():
        live.parts["between"] = _between()
    live.parts["asked"] = _asked()
    live.parts["typed"] = _typed()
    return live


def _code() -> str:
    return "\n".join(
        [
            "import torch",
            "from dgm_models import Noise, load, read, write",
            "",
            f'model = load("{MODEL}")',
            "wish = torch.tensor([[-1.0, 80.0, 9.0]])  # logP, polar surface, heavy atoms",
            "x = model.sample(Noise(range(4)), wish.expand(4, -1))",
            f'print(write("{MODEL}", x))  # SMILES strings',
            f'print(model.log_prob(read("{MODEL}", "CC(=O)NC")))  # in nats',
            "",
            f'builder = load("{proposals.IN_PROPORTION}")  # in proportion to a reward',
            "weights = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0]])  # QED, logP, surface, rings, size",
            f'print(write("{proposals.IN_PROPORTION}", builder.sample(Noise([7]), weights)))',
        ]
    )


def _free(model: str, wish: tuple[float, ...] | None, seed: int, settings: StringSettings) -> m.Drawn:
    """Molecules of any model, with the settings that it has."""
    kind = catalog.family(model).Settings
    return m.drawn(model, COUNT, seed, kind(**{name: value for name, value in vars(settings).items() if name in kind.knobs()}), wish)


def _with_piece(model: str, wish: tuple[float, ...] | None, piece: str, seed: int, settings: StringSettings) -> m.Drawn:
    """Molecules that hold what a person typed, which RDKit reads in its own process first."""
    if model not in m.spellers().values():
        raise ValueError("Must be in it: only a GPT goes on from a piece. Choose one, or leave this empty.")
    known, _ = typed.read(piece, "Must be in it")
    if known.facts is None:
        raise ValueError(f"Must be in it: expected a SMILES string such as C(=O)N, got {known.smiles[:40]!r}: {known.wrong}")
    return m.with_piece(model, COUNT, seed, settings, known.smiles, wish)


def _between() -> Live:
    page, told = p.player("molecules-between"), p.chart("between")
    return p.panel(
        f"{ID}.between",
        [
            p.column(
                3, _smiles_box("one", "First molecule", ENDS[0]), _smiles_box("other", "Second molecule", ENDS[1]), p.press("Go"), width=230
            ),
            p.column(10, page, width=300),
            p.column(4, told, width=230),
        ],
        _gone_between,
        "Between two",
        "A VAE has a code for each molecule. What lies between two codes? SELFIES are its letters, and any of them in a row is a molecule.",
        order=[page, told],
    )


def _gone_between(one: str, other: str) -> list[Any]:
    """The molecules on the way, and what is to be said of it."""
    ends = []
    for name, text in (("First molecule", one), ("Second molecule", other)):
        known, _ = typed.read(text, name)
        if known.facts is None:
            raise ValueError(f"{name}: no molecule: {known.wrong}.")
        if known.facts.atoms > MOST_ATOMS:
            raise ValueError(f"{name}: this model knows {m.KNOWS}, got {known.facts.atoms} atoms")
        ends.append(known.facts.smiles)
    made = m.between(*ends, STEPS)
    film = Film([Row(made.frames, STEPS // 2, view=view_of(catalog.dataset(m.VAE).space))], "between", made.receipt.cost)
    same = [made.smiles[at] == end for at, end in ((0, ends[0]), (-1, ends[1]))]
    said = f"{('Neither end comes', 'One end comes', 'Both ends come')[sum(same)]} back unchanged. "
    found = list(dict.fromkeys(text for text in made.smiles if text))
    different = len(found)
    said += f"{different} different molecules on {STEPS} codes: close ones decode alike."
    lines = "".join(
        f"<tr><th>{html.escape(text)}</th><td>{known.logp:.1f}</td><td>{known.surface:.0f}</td></tr>"
        for text, known in ((text, facts(text)) for text in found)
    )
    head = '<thead><tr><th scope="col">on the way</th><th scope="col">logP</th><th scope="col">surface, Å²</th></tr></thead>'
    table = f'<table class="dgm-told">{head}<tbody>{lines}</tbody></table>'
    return [film, f"<p>{said}</p>{table}"]


def _asked() -> Live:
    return p.panel(
        f"{ID}.asked",
        [
            p.column(3, p.choice("of", "Property", list(PROPERTIES), PROPERTIES[0], radio=True), p.seed(), width=210),
            p.column(9, p.chart("asked"), width=300),
        ],
        _compared,
        "As asked?",
        "A dot a molecule, each with a wish of its own: what was asked for, and what RDKit measures. On the line: as asked.",
    )


def _compared(of: str, seed: int) -> list[Any]:
    """Wishes against what came of them."""
    asked, measured, texts = m.heeded(WISHES, seed)
    at = PROPERTIES.index(of)
    said = f"{len(texts)} of {WISHES} are molecules"
    return [charts.against(asked[:, at].tolist(), measured[:, at].tolist(), texts, f"{of}{UNITS[of] and ',' + UNITS[of]}", said)]


def _typed() -> Live:
    return p.panel(
        f"{ID}.typed",
        [
            p.column(
                3,
                _smiles_box("smiles", "SMILES", TYPICAL),
                p.model_of(m.spellers()),
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


def _smiles_box(name: str, label: str, value: str, hint: str = "") -> p.Control:
    def read(text: Any) -> str:
        if text is not None and not isinstance(text, str):
            raise ValueError(f"{label}: expected a SMILES string, got {type(text).__name__}")
        return (text or "").strip()

    def build(_: list[p.Laid]) -> p.Laid:
        box = gr.Textbox(value, label=label, lines=1, max_lines=1, placeholder=hint or None)
        return p.Laid(name, [widgets.Field(name, box)], read, [box.submit], p.PICTURE)

    return build


def _piece(before: list[p.Laid]) -> p.Laid:
    """A piece that must be in it: typed, or drawn, which types it."""
    laid = _smiles_box("piece", "Must be in it", "", "such as C(=O)N")(before)
    with gr.Accordion("Draw it", open=False):
        pad = widgets.piece("piece", ELEMENTS, m.LONGEST_PIECE)
    drawn = pad.input(refusing(_as_typed), pad, laid.fields[0].component, trigger_mode="always_last", **p.QUICK)
    return replace(laid, events=[*laid.events, drawn.success])


def _as_typed(value: Any) -> str:
    """What a person drew, as a string. ValueError for what the pad does not send, and for what is no molecule."""
    atoms, bonds = (value.get(name) if isinstance(value, dict) else None for name in ("atoms", "bonds"))
    if not isinstance(atoms, list) or not isinstance(bonds, list) or len(atoms) > m.LONGEST_PIECE:
        raise ValueError(f"Piece: expected at most {m.LONGEST_PIECE} atoms and the bonds between them, as the pad sends them")
    elements = [one_of(each[0] if isinstance(each, list) and each else each, "Atom", ELEMENTS) for each in atoms]
    between: dict[frozenset[int], tuple[int, int, int]] = {}
    for bond in bonds:
        if not isinstance(bond, list) or len(bond) != 3:
            raise ValueError(f"Bond: expected two atoms and an order, got {str(bond)[:40]!r}")
        one, other = (whole(end, "Atom", 0, len(elements) - 1) for end in bond[:2])
        if one == other or frozenset((one, other)) in between:
            raise ValueError("Bond: expected one at most between two different atoms")
        between[frozenset((one, other))] = one, other, whole(bond[2], "Order", 1, 3)
    try:
        made = of_parts(elements, list(between.values()))
    except ValueError as error:
        raise ValueError(f"Piece: {error}") from error
    if "." in made:
        raise ValueError("Piece: it lies in parts. Click one atom, then another, to bind them")
    if len(made) > m.LONGEST_PIECE:
        raise ValueError(f"Piece: it is too large. {made} has {len(made)} letters, a piece at most {m.LONGEST_PIECE}: undo the last step")
    return made


def _read(smiles: str, model: str) -> list[Any]:
    """A typed string: drawn, measured, and in the colours of a model's surprise."""
    known, parts = typed.read(smiles, data=catalog.dataset(model).id)
    picture = _picture(known.smiles, parts) if parts else '<p class="dgm-hint">Nothing of it can be drawn.</p>'
    try:
        tokens, nats = m.surprise(model, known.smiles)
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
        wish = tuple(number(value, name, *RANGES[name][:2]) for name, value in zip(RANGES, values, strict=True))
        return wish if yes_or_no(asks, "Ask for this") else None

    return p.Laid("wish", fields, read, widgets.moves(fields))


def _beside(made: m.Drawn, at: Any) -> str:
    """HTML: how many of the strings are molecules, different, new, or hold the piece; and what is known of the one that was clicked, or of
    the first."""
    found = m.shares(made.smiles)
    last = [("hold the piece", made.kept)] if made.piece else [("are new", found.new)] if m.ships_whole(catalog.dataset(made.id).id) else []
    counts = [("are molecules", found.valid), ("are different ones", found.unique), *last]
    gauges = "".join(
        f'<div><b>{number} of {found.count}</b><i style="--share:{number / found.count:.3f}"></i>{name}</div>' for name, number in counts
    )
    chosen = (
        _tile(at) if isinstance(at, dict) and set(at) == {"at"} else next((i for i, each in enumerate(made.smiles) if m.canonical(each)), 0)
    )
    return f'<div class="dgm-gauges">{gauges}</div>{_told(m.told_drawn(made, chosen), made.asked)}'


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
    if told.new is not None:
        rows.append(("in QM9's training part", "no: it is new" if told.new else "yes"))
    table = "".join(f"<tr><th>{each}</th><td>{said}</td></tr>" for each, said in rows)
    body = html.escape(json.dumps(told.solid, separators=(",", ":")))
    space = f'<div class="dgm-solid" data-name="{html.escape(told.smiles)}" data-solid="{body}"></div>' if told.solid else ""
    near = f"<p>Most alike of 1,000 that were held out (Tanimoto {told.alike:.2f}): {html.escape(told.nearest)}</p>{_picture(told.nearest)}"
    return f'{name}<table class="dgm-figures dgm-facts">{table}</table>{space}{near}'


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
