"""Super-resolution of photographs: faithful or sharp, what each costs, what a sampler answers, and a person's own photograph."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications import colours
from dgm_models.applications import enlarging as e
from dgm_models.applications.generate import seeds_from
from dgm_models.data.photos import held_out
from dgm_models.measurements import Shrink
from dgm_models.modalities import snapshot
from dgm_models.modalities.views import PHOTOS
from dgm_models.ui import charts
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row, bare, still
from dgm_models.ui.photos import album, of_album, picture, url_of_photo
from dgm_models.ui.tabs.colorization import small_picture
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "enlarging", "Super-resolution", e.SHARP
FACTORS = {"2×": 2, "4×": 4}
DETAIL = 96  # pixels a side of what is looked at closely
SIDE, FRAMES = 32, 5  # of a small picture, and of its film: noise in colour makes large files


def build() -> Live:
    film, chart = p.player(ID), p.chart("enlarging")
    with p.view(
        ID,
        "Faithful or sharp",
        "A photo is shrunk and enlarged again. The least error is blurred; a critic brings texture back, and invents.",
    ):
        live = p.wired(
            ID,
            [
                p.column(4, _photos(ID, side=DETAIL), _factor, _sharpness(50), width=220),
                p.column(10, film, width=300),
                p.column(4, chart, width=250),
            ],
            _compared,
            order=[film, chart],
            api_name=ID,
        )
        p.folded("enlarging", [e.FAITHFUL, e.SHARP], _code())
    live.parts["photo"] = p.panel(
        f"{ID}.photo",
        [
            p.column(3, _photos("enlarging-own", "comic"), _factor, _sharpness(100), width=220),
            p.column(10, album("enlarging-photo"), width=300),
        ],
        _whole,
        "Your photo",
        "Enlarged as it is, tile by tile. Nobody knows what it looked like larger: what is new is a guess.",
    )
    live.parts["answers"] = p.panel(
        f"{ID}.answers",
        [p.column(3, small_picture("enlarging-answers"), p.seed(), width=220), p.column(10, p.player("enlarging-answers"), width=300)],
        _answered,
        "Several answers",
        "8 × 8 pixels, and what they may have been. A sampler of p(picture), guided to what is seen, answers anew for each seed.",
    )
    return live


def _code() -> str:
    return "\n".join(
        [
            "from dgm_models import load",
            "from dgm_models.applications.enlarging import luminance_psnr, shrunk",
            "from dgm_models.data.photos import held_out",
            "",
            'x = held_out()["butterfly"][None] / 255',
            f'for id in ("{e.FAITHFUL}", "{e.SHARP}"):',
            "    large = load(id).enlarge(shrunk(x, 4), 4)",
            "    print(id, luminance_psnr(large, x, 4))  # in dB",
        ]
    )


def _photo(which: str) -> Tensor:
    return catalog.dataset(MODEL).space.read(held_out()[which])


def _photos(name: str, first: str = "butterfly", side: int = 0) -> p.Control:
    return picture(name, tuple(held_out()), _photo, first, "photo", url_of=url_of_photo, side=side)


def _factor(before: list[p.Laid]) -> p.Laid:
    laid = p.choice("factor", "Factor", list(FACTORS), "4×", radio=True)(before)
    return p.Laid(laid.name, laid.fields, lambda text: FACTORS[laid.read(text)], laid.events)


def _sharpness(first: int) -> p.Control:
    """The share of the sharp answer, in hundredths on the page."""

    def build(before: list[p.Laid]) -> p.Laid:
        laid = p.count("sharpness", "Sharp, %", 0, 100, first, 5)(before)
        return p.Laid(laid.name, laid.fields, lambda value: laid.read(value) / 100, laid.events)

    return build


def _compared(photo: tuple[Tensor, tuple[int, int, int, int]], factor: int, sharpness: float) -> list[Any]:
    x, (top, left, high, wide) = photo
    real = e.fitted(x[None], factor)
    seen = e.shrunk(real, factor)
    faithful, sharp = e.both(seen, factor)
    mixed = faithful.lerp(sharp, sharpness)
    nearest, cubic = F.interpolate(seen, scale_factor=factor, mode="nearest"), e.bicubic(seen, factor)
    said = lambda x: f"{e.luminance_psnr(x, real, factor):.1f} dB"  # noqa: E731
    near = lambda *made: torch.cat(made)[..., top:, left:][..., :high, :wide]  # noqa: E731
    rows = [
        Row(still(near(nearest, cubic, real)), 3, "seen", f"cubic {said(cubic)}", ("seen", "cubic", "real"), "data", view=PHOTOS),
        Row(
            still(near(faithful, mixed, sharp)),
            3,
            "enlarged",
            f"faithful {said(faithful)}; mixed {said(mixed)}; sharp {said(sharp)}",
            ("faithful", f"{sharpness:.0%} sharp", "sharp"),
            view=PHOTOS,
        ),
    ]
    costs = e.trade(faithful, sharp, real, factor)
    chart = charts.course([(psnr, 100 * off) for _, psnr, off in costs], "PSNR, dB", "off in features, %", 300)
    opened = [catalog.open_model(id) for id in (e.FAITHFUL, e.SHARP)]
    receipt = " · ".join(
        f"{id} {each.parameters / 1e6:.2f} M {each.source.sha256[:7]}" for id, each in zip((e.FAITHFUL, e.SHARP), opened, strict=True)
    )
    words = "From faithful, hollow, to sharp. To the right: less error. Below: more like the real one to a network that saw neither."
    return [Film(rows, ID, receipt), f'{chart}<p class="dgm-hint">{words}</p>']


def _whole(photo: Tensor, factor: int, sharpness: float) -> list[Any]:
    faithful, sharp = e.both(photo[None], factor)
    mixed, cubic = faithful.lerp(sharp, sharpness), e.bicubic(photo[None], factor)
    size = f"{mixed.shape[-1]} × {mixed.shape[-2]} pixels, of {photo.shape[-1]} × {photo.shape[-2]}; click a picture to look closer"
    return [of_album([("cubic", cubic[0]), (f"{sharpness:.0%} sharp", mixed[0])], f"{ID}-{factor}", size)]


def _answered(photo: Tensor, seed: int) -> list[Any]:
    """A small picture shrunk 4 times: one answer each of the cubic filter and of both enlargers, several of a sampler."""
    x, away = snapshot.squared(photo, SIDE), Shrink(4)
    seen = away(x)
    faithful, sharp = e.both(e.shrunk(x, 4), 4)
    tiles = torch.cat([away.pinv(seen), x, e.bicubic(seen, 4), faithful, sharp])
    heads = ("seen", "real", "cubic", "faithful", "sharp")
    made = colours.undone(away, seen, seeds_from(seed, 5))
    rows = [
        Row(still(tiles), 5, "one answer each", heads=heads, kind="data", view=PHOTOS),
        Row(bare(made.frames, FRAMES), 5, "a sampler", f"five answers; {made.receipt.cost}", view=PHOTOS),
    ]
    return [Film(rows, f"{ID}-answers-{seed}", str(made.receipt))]
