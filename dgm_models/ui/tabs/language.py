"""Language: a text goes on, and what each token was drawn from; what a text costs; what more context, scale and a reward bring."""

from __future__ import annotations

import base64
import html
import json
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import gradio as gr
import torch

from dgm_models import catalog, weights
from dgm_models.applications import language as l
from dgm_models.applications import words as w
from dgm_models.applications.reward import REWARDS, RewardSettings, tuned
from dgm_models.evaluation.scaling import FILE
from dgm_models.families.text import TextSettings
from dgm_models.modalities.views import view_of
from dgm_models.ui import charts, widgets
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL = "language", "Language", l.GPT
PROMPT = "KING HENRY:\nWhat say you to"
TYPICAL = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to eat\nThe pudding first, or by opposing end it."
HEARD = "KING HENRY:\nWhat say you to my lord?\n\nYORK:\nMy lord, I say"
NEAR = 6  # tokens
UNITS = ("letters", "words")
HOT = 6.0  # nats at which a token is as marked as can be


def build() -> Live:
    live = _writing()
    live.parts["text"] = _your_text()
    live.parts["name"] = _name()
    live.parts["attention"] = _attention()
    live.parts["context"] = _context()
    live.parts["scale"] = _scale()
    live.parts["reward"] = _reward()
    return live


def _text_box(name: str, label: str, value: str, lines: int, hint: str = "") -> p.Control:
    """A text; Shift and Enter ask."""

    def build(_: list[p.Laid]) -> p.Laid:
        box = gr.Textbox(value, label=label, lines=lines, max_lines=lines + 3, placeholder=hint or None)
        return p.Laid(name, [Field(name, box, costly=False)], lambda text: text or "", [box.submit], p.PICTURE)

    return build


# writing --------------------------------------------------------------------------------------------------------------


def _writing() -> Live:
    page = p.Shown(lambda: widgets.writing(ID), is_player=True, sets=("prompt", _gone_on))

    def advanced(before: list[p.Laid]) -> list[p.Laid]:
        with gr.Accordion("Advanced", open=False):
            knobs = p.knobs(TextSettings, only=("top_p", "temperature"))(before)
            way = p.choice("way", "Words come in", l.WAYS, l.WAYS[0], radio=True)(before)
        return [knobs, way]

    with p.view(ID, "Write"):
        live = p.wired(
            ID,
            [
                p.column(
                    3,
                    p.model_of(l.models()),
                    _text_box("prompt", "Prompt", PROMPT, 3, "empty: from the start"),
                    p.count("length", "Length to generate", 20, l.MOST_LENGTH, 300, 20),
                    _text_box("words", "Try to include these words", "moon, sword", 1, "between commas"),
                    p.press("Generate"),
                    p.seed(),
                    p.switch("afresh", "Start at beginning", False),
                    p.switch("whole", "Pause at end", True),
                    advanced,
                    width=230,
                ),
                p.column(14, page, width=300),
            ],
            _written,
            api_name=ID,
        )
        p.folded("language", [MODEL], _code())
    return live


def _gone_on(value: Any) -> str:
    """The text to go on from, which a click on the page names."""
    text = value.get("go") if isinstance(value, dict) else None
    if not isinstance(text, str) or len(text) > l.MOST_PROMPT:
        raise ValueError(f"Prompt: expected at most {l.MOST_PROMPT:,} letters to go on from. Shorten it, or start anew.")
    return text


def _written(
    model: str, prompt: str, length: int, words: str, way: str, afresh: bool, whole: bool, seed: int, settings: TextSettings
) -> Iterator[list[Any]]:
    """The text as it is drawn, and at the end what each token was drawn from."""
    asked = l.asked_words(catalog.dataset(model).space, words)
    for said in l.write(model, prompt, length, seed, settings, asked, way, afresh, whole):
        if not said.over:
            yield [_page(said, prompt, "writing")]
    found = l.choices(model, said, settings)
    made = [i for i, kind in enumerate(said.kinds) if kind == l.MADE]
    nats = found.nats[made].mean() if made else 0.0
    value = _page(said, prompt, f"{len(made)} tokens made, {nats:.2f} nats each · {said.receipt}", partial=False)
    value["nats"] = [round(float(n), 3) for n in found.nats]
    value["chances"] = [
        [[name, round(p, 4), round(q, 4)] for name, p, q in zip(*row, strict=True)]
        for row in zip(found.tokens, found.before.tolist(), found.after.tolist(), strict=True)
    ]
    value["show"] = max(made, key=lambda i: value["nats"][i], default=None)
    value["name"] = f"{model}-{seed}"
    yield [value]


def _page(said: l.Written, prompt: str, receipt: str, partial: bool = True) -> dict[str, Any]:
    return {"tokens": said.tokens, "kinds": said.kinds, "given": prompt, "receipt": receipt, "partial": partial, "link": ""}


def _code() -> str:
    return "\n".join(
        [
            "import torch",
            "from dgm_models import Noise, load, read, write",
            "",
            f'model = load("{MODEL}")',
            'prompt = torch.tensor([model.space.split("KING HENRY:\\nWhat say you to")])',
            "settings = model.Settings(temperature=0.8, top_p=0.95)",
            "drawn = list(model.continued(prompt, Noise([7]), 300, settings))",
            'print("".join(model.space.alphabet[int(token)] for token in drawn))',
            "",
            f'x = read("{MODEL}", "To be, or not to be")  # tokens, and the end',
            "print(-model.surprise(x[:, :19]).sum())  # log p, in nats",
        ]
    )


# a text of one's own --------------------------------------------------------------------------------------------------


def _your_text() -> Live:
    return p.panel(
        f"{ID}.text",
        [
            p.column(3, _text_box("text", "Your text", TYPICAL, 8), p.press("Measure"), width=260),
            p.column(9, p.chart("language-text"), width=300),
        ],
        _measured,
        "Your text",
        "What each letter costs, given those before it. White: foreseen. Red: a surprise.",
    )


def _measured(text: str) -> list[Any]:
    """A text in the colours of its surprise, under each model of Shakespeare's letters."""
    if not text.strip():
        raise ValueError("Your text: expected some words, got none")
    parts = []
    for name, id in l.models(of_letters=True).items():
        tokens, nats = l.spelt(id, text), l.surprise(id, text)
        each = float(nats.mean())
        said = f"{each:.2f} nats a letter, perplexity {float(nats.mean().exp()):.1f}; {float(nats.sum()):.0f} nats in all"
        parts.append(f'<h3>{html.escape(name)}</h3><p class="dgm-hint">{said}</p>{heat(tokens, nats.tolist())}')
    return [f'<div class="dgm-heats">{"".join(parts)}</div>']


def heat(tokens: list[str], nats: list[float]) -> str:
    """HTML: tokens on a ground that is the redder the more they cost."""
    spans = []
    for token, cost in zip(tokens, nats, strict=True):
        said = html.escape(f"{token!r}: {cost:.2f} nats")
        spans.append(f'<span style="--heat:{min(cost / HOT, 1):.2f}" title="{said}">{html.escape(token)}</span>')
    return f'<p class="dgm-heat">{"".join(spans)}</p>'


def verse(text: str) -> str:
    """HTML: a text in one line, its line breaks as strokes."""
    return html.escape(" / ".join(part.strip() for part in text.split("\n") if part.strip()))


# learning from the prompt -----------------------------------------------------------------------------------------------


def _name() -> Live:
    return p.panel(
        f"{ID}.name",
        [
            p.column(3, _text_box("name", "A name that nobody has", "ZARVOX", 1), p.press("Ask"), width=220),
            p.column(9, p.chart("language-name"), width=300),
        ],
        _recalled,
        "In context",
        "A name begins a scene. Is it foretold where the scene ends? No weight changes: what is learned, is learned from the prompt.",
    )


def _recalled(name: str) -> list[Any]:
    """What a name costs where it was met before and where it was not: one of the plays, and one of the person's own."""
    lines, scenes = [], []
    for each, whose in ((l.KNOWN, "a name of the plays"), (name, "yours")):
        for title, id in l.models(of_letters=True).items():
            found = l.recalled(id, each)
            met, new = found.cost(True), found.cost(False)
            times = math.exp(min(new - met, 60))
            said = f"{times:,.0f} times likelier" if times >= 2 else "as likely" if times > 0.5 else "less likely"
            head = f"<b>{html.escape(each.upper())}</b>, {whose}"
            lines.append(f"<tr><th>{head}</th><td>{html.escape(title)}</td><td>{met:.1f}</td><td>{new:.1f}</td><td>{said}</td></tr>")
            if id == MODEL:
                scenes.append(f"<div>{heat(found.met[0], found.met[1].tolist())}</div>")
    head = "<tr><th>name</th><td>model</td><td>nats, met before</td><td>not met</td><td>so the name is</td></tr>"
    said = (
        "The GPT has learned that who spoke may speak again, of names it knows. A word that it never saw it cannot spell even when it "
        "stands in the prompt: that comes with models, and data, a thousand times larger."
    )
    table = f'<table class="dgm-context dgm-names">{head}{"".join(lines)}</table>'
    return [f'{table}<p class="dgm-hint">{said}</p><div class="dgm-scenes">{"".join(scenes)}</div>']


# attention ------------------------------------------------------------------------------------------------------------


def _attention() -> Live:
    shown = p.Shown(lambda: widgets.attention(ID))
    return p.panel(
        f"{ID}.attention",
        [
            p.column(3, p.model_of(l.models(hears=True)), _text_box("text", "Text", HEARD, 4), p.press("Listen"), width=260),
            p.column(9, shown, width=300),
        ],
        _heard,
        "Attention",
        "Point at a token: what did this head listen to when it foretold it? Blue: more.",
    )


def _heard(model: str, text: str) -> list[Any]:
    """All heads at once; first the one that picks single tokens from farther back than the word before."""
    tokens, shares = l.attention(model, text)
    blocks, heads, count, _ = shares.shape
    far = torch.ones(count, count).tril(-NEAR)
    far[:, 0] = 0
    chosen = int((shares * far).amax(3).mean(2).argmax())
    value = {
        "tokens": tokens,
        "shares": base64.b64encode((shares * 255).round().to(torch.uint8).numpy().tobytes()).decode(),
        "blocks": blocks,
        "heads": heads,
        "head": [chosen // heads, chosen % heads],
        "at": count - 1,
        "link": "",
    }
    return [value]


# how much context -----------------------------------------------------------------------------------------------------


def _context() -> Live:
    return p.panel(
        f"{ID}.context",
        [
            p.column(
                2,
                p.choice("of", "Of", UNITS, UNITS[0], radio=True),
                _text_box("prompt", "Prompt", PROMPT, 3),
                p.press("Go on"),
                p.seed(),
                p.knobs(TextSettings, only=("temperature",)),
                width=220,
            ),
            p.column(10, p.chart("language-context"), width=300),
        ],
        _compared,
        "More context",
        "One prompt, one seed: p(next | the one before), the two before it, and so on; of letters, at last all 191 that a GPT sees.",
    )


def _compared(of: str, prompt: str, seed: int, settings: TextSettings) -> list[Any]:
    """What n-grams of each order add to a prompt, of letters and beside them the GPT, or of words; and what each costs held-out text."""
    if of == UNITS[1]:
        return [_words(prompt, seed, settings.temperature)]
    count, rows = 110, []
    for order in range(1, 9):
        text = l.continuation(l.counted(order), prompt, count, seed, settings)
        rows.append((_sees(order, "letter"), _measure("nats_by_order", order), text))
    if MODEL in weights.manifest():
        text = l.continuation(catalog.open_for("sample", MODEL).model, prompt, count, seed, settings)
        rows.append(("191, a GPT", weights.manifest()[MODEL].get("scores", {}).get("nats_token"), text))
    return [_table(rows, "letter")]


def _words(prompt: str, seed: int, temperature: float) -> str:
    """HTML: of words, how each order goes on, and what may follow the last word alone, as the lecture writes it."""
    rows = [
        (_sees(order, "word"), _measure("nats_word_by_order", order), w.continuation(order, prompt, seed, temperature))
        for order in range(1, w.ORDERS + 1)
    ]
    names, chances = zip(*w.next_words(2, prompt), strict=True)
    last = (w.split(prompt) or ["\n"])[-1].replace("\n", "a line break")
    said = f"P(next word | {last}), in percent"
    bars = charts.bars(
        [100 * p for p in chances],
        [name.replace("\n", "↵") for name in names],
        f"the likeliest words ({w.RARE}: all that came only once)",
        said,
    )
    return f'{_table(rows, "word")}<div class="dgm-next">{bars}</div>'


def _sees(order: int, unit: str) -> str:
    return f"{order - 1} {unit}{'' if order == 2 else 's'}"


def _measure(name: str, order: int) -> float | None:
    """What an n-gram of an order costs held-out text, where it was measured."""
    measured = weights.manifest()[l.COUNTED].get("scores", {}).get(name, [])
    return measured[order - 1] if measured else None


def _table(rows: list[tuple[str, float | None, str]], unit: str) -> str:
    """HTML: what models see, what that costs, and how they go on."""
    most = max((nats or 0 for _, nats, _ in rows), default=1) or 1
    lines = [
        f"<tr><th>{name}</th><td>{'' if nats is None else f'{nats:.2f}'}<i style='width:{100 * (nats or 0) / most:.0f}%'></i></td>"
        f"<td>{verse(text)}</td></tr>"
        for name, nats, text in rows
    ]
    head = f"<tr><th>it sees</th><td>nats a {unit}, held out</td><td>and goes on so</td></tr>"
    return f'<table class="dgm-context">{head}{"".join(lines)}</table>'


# scale ----------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _runs() -> list[dict[str, Any]]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def _scale() -> Live:
    over = ("compute", "parameters", "data")
    return p.panel(
        f"{ID}.scale",
        [
            p.column(2, p.choice("over", "Loss against", over, over[0], radio=True), width=200),
            p.column(10, p.chart("language-scale"), width=300),
        ],
        _scaled,
        "Scale",
        "Nine small GPTs of our own: three sizes, three shares of Shakespeare, each measured on held-out letters while it learned.",
    )


def _scaled(over: str) -> list[Any]:
    """Curves of the nine runs against one of three axes, and what each wrote at its best."""
    runs = _runs()
    lines = [
        f"<tr><th>{run['parameters'] / 1e6:.1f} M</th><td>{run['letters'] / 1e6:.2f} M</td><td>{min(n for _, n in run['curve']):.2f}</td>"
        f"<td>{verse(run['sample'][:90])}</td></tr>"
        for run in runs
    ]
    head = "<tr><th>parameters</th><td>letters read</td><td>nats, at best</td><td>wrote then, seed 0</td></tr>"
    said = (
        "With all letters, ten times the parameters bring less and less; with a sixteenth of them, the largest model learns by heart "
        "at once, and its loss rises again."
    )
    return [f'{charts.scaling(runs, over)}<p class="dgm-hint">{said}</p><table class="dgm-context dgm-runs">{head}{"".join(lines)}</table>']


# reward ---------------------------------------------------------------------------------------------------------------


def _reward() -> Live:
    name = f"{ID}-reward"
    return p.panel(
        f"{ID}.reward",
        [
            p.column(
                3,
                p.choice("reward", "Paid for", tuple(REWARDS), next(iter(REWARDS)), radio=True),
                "An e costs 1; a question mark, or the end of a line, earns 1.",
                p.knobs(RewardSettings),
                p.seed(),
                p.press("Train"),
            ),
            p.column(9, p.player(name, most=0.3), p.chart(name), width=300),
            p.column(4, p.Card("reward"), width=250),
        ],
        _paid,
        "Reward",
    )


def _paid(reward: str, seed: int, settings: RewardSettings) -> Iterator[list[Any]]:
    """The same texts while a GPT is tuned, and how far from itself each bit of reward takes it."""
    look = view_of(catalog.dataset(MODEL).space)
    for lesson in tuned(reward, seed, settings):
        row = Row(lesson.frames, len(lesson.frames[0].x), view=look)
        course = [(report.distance, 100 * report.reward) for report in lesson.reports]
        chart = charts.course(course, "KL(tuned ‖ as it was), nats a letter", "earned by 100 letters") if course else gr.skip()
        if lesson.over:
            end = lesson.reports[-1]
            said = f"100 letters earned {course[0][1]:.1f}, and after {settings.steps} steps {course[-1][1]:.1f}"
            receipt = f"{said} · KL {end.distance:.2f} nats a letter · {MODEL}, its last block trained here and now · seed {seed}"
            yield [Film([row], f"{ID}-reward-{seed}", receipt), chart]
        else:
            yield [Film([row], receipt=f"step {len(course)} of {settings.steps}", partial=True), chart]
