"""Text to image, taken apart: each stage in sight and drawn again alone, between two captions, one embedding decoded several times, and
what the prior is for."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications import text_to_image as t
from dgm_models.contracts import Frame
from dgm_models.modalities import caption as known
from dgm_models.modalities import image, snapshot
from dgm_models.modalities.avatar import enlarged
from dgm_models.modalities.views import PHOTOS
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.film import Film, Row, bare, still
from dgm_models.ui.photos import picture
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL = "captions", "Text to image", t.UPSAMPLERS[-1]
FIRST = "a red seven on a yellow ground, above a small blue circle"
OTHER = "a happy face with long red hair, glasses on a pink background"
MOST = 200  # letters of a caption
COUNT, NEAR, WORDS, PLACES = 4, 3, 4, 9
FRAMES = 3  # of a film: noise in colour makes large files
DECODINGS = 5
TITLES = {"diffusion": "diffusion prior", "autoregressive": "autoregressive prior", t.NO_PRIOR: "no prior"}
HEADS = {
    "text": ("Text embedding", "one caption, one point"),
    "prior": ("Image embedding", "p(z | text); nearest real ones"),
    "16": ("16 × 16", "p(x | z)"),
    "32": ("32 × 32", "p(x | 16, z)"),
    "64": ("64 × 64", "p(x | 32, z)"),
    "read": ("Read", "by a classifier"),
}


def build() -> Live:
    words = "A caption becomes a point, the point a picture's point, that a picture, larger and larger. Draw any stage again."
    with p.view(ID, "Stage by stage", words):
        page = p.Shown(lambda: widgets.stages(ID), sets=("again", _gone_on))
        live = p.wired(
            ID,
            [
                p.column(
                    3,
                    _caption(ID, "caption", "Caption", FIRST),
                    p.press("Draw"),
                    _prior,
                    p.amount("guidance", "Guidance scale", 0.0, 6.0, t.GUIDANCE),
                    _again,
                    p.seed(),
                    width=240,
                ),
                p.column(12, page, width=300),
            ],
            _staged,
            api_name=ID,
        )
        p.folded("text_to_image", [t.ENCODER, *t.PRIORS.values(), t.DECODER, *t.UPSAMPLERS], _code())
    live.parts["between"] = p.panel(
        f"{ID}.between",
        [
            p.column(
                3,
                _caption("between", "caption", "From", FIRST),
                _caption("between", "other", "To", OTHER),
                p.press("Draw"),
                p.seed(),
                width=240,
            ),
            p.column(12, p.player("captions-between"), width=300),
        ],
        _between,
        "Between two captions",
        "From one text embedding to another along the sphere; all noise stays. Where does it change its mind?",
    )
    live.parts["decodings"] = p.panel(
        f"{ID}.decodings",
        [
            p.column(3, picture("captions", _names(), _shown_picture, "0"), p.seed(), width=240),
            p.column(12, p.player("captions-decodings"), width=300),
        ],
        _decoded,
        "One embedding, several decodings",
        "A picture's own embedding, decoded again and again. What stays, the embedding knows; what changes, it does not.",
    )
    live.parts["priors"] = p.panel(
        f"{ID}.priors",
        [
            p.column(3, _caption("priors", "caption", "Caption", FIRST), p.press("Draw"), p.seed(), width=240),
            p.column(12, p.player("captions-priors"), width=300),
        ],
        _with_and_without,
        "Without the prior",
        "The text's own embedding can be decoded too, but no picture lies there: what is a prior of embeddings for?",
    )
    film, told = p.player("captions-order"), p.chart("captions-order")
    live.parts["order"] = p.panel(
        f"{ID}.order",
        [
            p.column(3, _caption("order", "caption", "Caption", "a red seven above a blue circle"), p.press("Draw"), p.seed(), width=240),
            p.column(12, film, told, width=300),
        ],
        _exchanged,
        "Which colour is whose?",
        "The same words, two of them exchanged. To an encoder that never met such twins, they are nearly one caption.",
        order=[film, told],
    )
    return live


def _code() -> str:
    return "\n".join(
        [
            "from dgm_models import Noise, load",
            "from dgm_models.modalities import image",
            "from pathlib import Path",
            "",
            f'heard = load("{t.ENCODER}").hear(["{FIRST}"] * 4)',
            "noise = lambda: Noise(range(4))",
            f'*_, z = load("{t.PRIORS["diffusion"]}").trace(noise(), heard)',
            f'*_, small = load("{t.DECODER}").trace(noise(), z.x)',
            f'*_, medium = load("{t.UPSAMPLERS[0]}").trace(noise(), small.x, z.x)',
            f'*_, large = load("{t.UPSAMPLERS[1]}").trace(noise(), medium.x, z.x)',
            'image.write(Path("seven.png"), large.x)',
        ]
    )


# what a person sets ---------------------------------------------------------------------------------------------------


def _caption(address: str, name: str, label: str, first: str) -> p.Control:
    """A caption as it is typed; what it says in words that are known."""

    def build(_: list[p.Laid]) -> p.Laid:
        box = widgets.phrase(f"{address}-{name}", label, known.follows(), MOST, first)
        return p.Laid(name, [Field(name, box, costly=False)], lambda text: _read(text, label), [box.input], p.PICTURE)

    return build


def _read(text: Any, label: str) -> str:
    if not isinstance(text, str) or len(text) > MOST:
        raise ValueError(f"{label}: expected a text of at most {MOST} letters, got {str(text)[:40]!r}")
    if not known.split(text)[0]:
        raise ValueError(f"{label}: none of these words is known. Try: {FIRST}")
    return text


def _prior(before: list[p.Laid]) -> p.Laid:
    return p.choice("prior", "Prior", list(t.PRIORS), next(iter(t.PRIORS)), radio=True)(before)


def _again(_: list[p.Laid]) -> p.Laid:
    """How often each stage was drawn again, which its buttons set."""
    box = gr.Textbox("-".join("0" * len(t.STAGES)), label="Drawn again", elem_classes="dgm-aside")
    return p.Laid("again", [Field("again", box, lambda text: _counts(text) and text, costly=False)], _counts)


def _counts(text: Any) -> tuple[int, ...]:
    parts = text.split("-") if isinstance(text, str) else []
    if len(parts) != len(t.STAGES) or not all(part.isdecimal() and len(part) < 5 and int(part) <= t.AGAIN for part in parts):
        raise ValueError(
            f"Drawn again: expected a whole number from 0 to {t.AGAIN} for each of {', '.join(t.STAGES)}, got {str(text)[:40]!r}"
        )
    return tuple(map(int, parts))


def _gone_on(value: Any) -> str:
    text = value.get("go") if isinstance(value, dict) else None
    return "-".join(map(str, _counts(text)))


def _names() -> tuple[str, ...]:
    return tuple(map(str, range(len(catalog.dataset(MODEL).shown()[0]))))


def _shown_picture(which: str) -> Tensor:
    return catalog.dataset(MODEL).space.read(catalog.dataset(MODEL).shown()[0][int(which)])


# answers --------------------------------------------------------------------------------------------------------------


def _staged(caption: str, prior: str, guidance: float, again: tuple[int, ...], seed: int) -> list[Any]:
    heard = t.hear([caption])
    made = t.draw(heard.expand(COUNT, -1), seed, again, prior, guidance)
    near, captions = t.nearest(made.z, NEAR)
    value = {
        "stages": [{"name": name, "words": words, **_button(key)} for key, (name, words) in HEADS.items()],
        "heard": _rounded(heard[0]),
        "said": known.caption(known.understood(caption)),
        "words": t.nearest_words(heard, WORDS),
        "z": [_rounded(each) for each in made.z],
        "near": _sheet(near.flatten(0, 1)),
        "captions": captions,
        "sheets": [_sheet(x) for x in made.pictures],
        "read": _tally(caption, made.pictures[-1]),
        "again": list(again),
        "receipt": made.cost,
        "name": f"{ID}-{seed}",
        "link": "",
    }
    return [value]


def _button(key: str) -> dict[str, Any]:
    if key not in t.STAGES:
        return {}
    return {"at": t.STAGES.index(key), "button": "draw again" if key == t.STAGES[0] else "from here"}


def _rounded(numbers: Tensor) -> list[float]:
    return [round(float(each), 3) for each in numbers]


def _sheet(x: Tensor) -> str:
    """Pictures below each other in one."""
    return image.data_url(np.concatenate(list(image.levels(x).transpose(0, 2, 3, 1))))


def _tally(text: str, x: Tensor) -> list[str]:
    """Of each picture, how much of what a caption says it shows, and what it shows otherwise."""
    said = []
    for row in t.read(x):
        right, total, wrong = t.as_asked(known.understood(text), row)
        said.append(f"{right} of {total} as asked" + (f"; {', '.join(wrong)}" if wrong else ""))
    return said


def _between(caption: str, other: str, seed: int) -> list[Any]:
    one, two = t.hear([caption]), t.hear([other])
    made = t.draw(t.between(one, two, PLACES), seed, alike=True)
    return [Film(_rows(made.films, PLACES), f"{ID}-between-{seed}", made.cost)]


def _rows(films: list[list[Frame]], columns: int) -> list[Row]:
    """A row a size, all as large as the largest, so that they stand below each other."""
    side = catalog.dataset(MODEL).space.side
    films = [[frame._replace(x=enlarged(frame.x, side)) for frame in bare(film, FRAMES)] for film in films]
    return [Row(film, columns, HEADS[size][0], view=PHOTOS) for size, film in zip(t.STAGES[1:], films, strict=True)]


def _decoded(photo: Tensor, seed: int) -> list[Any]:
    x = snapshot.squared(photo, catalog.dataset(MODEL).space.side)
    films, costs = t.decode(t.look(x).expand(DECODINGS, -1), [t.seeds_of(stage, seed, DECODINGS) for stage in t.STAGES[1:]])
    given = Row(still(x), DECODINGS, "the picture", "embedded", kind="data", view=PHOTOS)
    return [Film([given, *_rows(films, DECODINGS)], f"{ID}-decodings-{seed}", t.costs(costs))]


def _with_and_without(caption: str, seed: int) -> list[Any]:
    heard, rows, costs = t.hear([caption]).expand(DECODINGS, -1), [], []
    for prior in (*t.PRIORS, t.NO_PRIOR):
        made = t.draw(heard, seed, prior=prior)
        near = float((made.z * t.look(made.pictures[-1])).sum(1).mean())
        said = f"{_mean(caption, made.pictures[-1])}; cosine of z and its picture {near:.2f}"
        rows.append(Row(still(made.pictures[-1]), DECODINGS, TITLES[prior], said, view=PHOTOS))
        costs.append(f"{TITLES[prior]}: {t.total(made.receipts)}")
    return [Film(rows, f"{ID}-priors-{seed}", "; ".join(costs))]


def _exchanged(caption: str, seed: int) -> list[Any]:
    """Pictures of a caption and of its twin; how near both are to each other, to an encoder that never met a twin and to one that did."""
    row = known.understood(caption)
    texts = [known.caption(row), known.caption(known.exchanged(row))]
    rows, costs = [], []
    for text in texts:
        made = t.draw(t.hear([text]).expand(DECODINGS, -1), seed)
        rows.append(Row(still(made.pictures[-1]), DECODINGS, text, _mean(text, made.pictures[-1]), view=PHOTOS))
        costs += made.receipts
    stages = (("taught without twins", t.PLAIN), ("taught with them, as here", t.ENCODER))
    near = [f"<tr><th>{name}</th><td>{t.alike(*texts, id):.4f}</td></tr>" for name, id in stages]
    head = '<thead><tr><th scope="col">cosine of the two captions</th><th></th></tr></thead>'
    return [Film(rows, f"{ID}-order-{seed}", t.total(costs)), f'<table class="dgm-told">{head}<tbody>{"".join(near)}</tbody></table>']


def _mean(text: str, x: Tensor) -> str:
    counts = [t.as_asked(known.understood(text), row)[:2] for row in t.read(x)]
    return f"{sum(right for right, _ in counts) / len(counts):.1f} of {counts[0][1]} as asked"
