"""Inpainting of photographs: a hole is painted with a brush, diffusion answers several times, gated convolutions once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications import filling as f
from dgm_models.applications.generate import seeds_from
from dgm_models.data.photos import held_out
from dgm_models.modalities.views import PHOTOS
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row, bare, still
from dgm_models.ui.photos import album, of_album, picture, url_of_photo
from dgm_models.ui.widgets import GRID, Live

ID, TITLE, MODEL = "filling", "Inpainting", f.DIFFUSION
ANSWERS, FRAMES = 4, 6  # of the last, in a film: noise in colour makes large files
AT_FIRST = 0.12  # of the shorter side of a photo: how wide its hole is at first, from its middle


def build() -> Live:
    film, whole = p.player(ID), album("filling")
    with p.view(ID, "Paint a hole", "What may have been there? Diffusion answers anew for each seed; gated convolutions have one answer."):
        live = p.wired(
            ID,
            [
                p.column(5, picture(ID, tuple(held_out()), _photo, "bird", "photo", _at_first, url_of_photo), p.seed(), width=260),
                p.column(9, film, whole, width=300),
            ],
            _filled,
            order=[film, whole],
            api_name=ID,
        )
        p.folded("filling", [f.DIFFUSION, f.GATED], _code())
    return live


def _code() -> str:
    return "\n".join(
        [
            "import torch",
            "from dgm_models import Hide, Noise, load",
            "from dgm_models.data import SETS",
            "",
            'x = SETS["photos"].shown()[0][:4] / 255',
            "seen = torch.ones(4, 1, 64, 64, dtype=torch.bool)",
            "seen[..., 20:44, 20:44] = False",
            "",
            f'*_, frame = load("{f.DIFFUSION}").restore(x * seen, Hide(seen), Noise(range(4)))',
            f'once = load("{f.GATED}").fill(x, seen)',
        ]
    )


def _photo(which: str) -> Tensor:
    return catalog.dataset(MODEL).space.read(held_out()[which])


def _at_first(high: int, wide: int) -> Tensor:
    """A hole in the middle of a photo, round, for a start: bool (GRID, GRID)."""
    down, across = (((torch.arange(GRID) + 0.5) / GRID - 0.5) * size for size in (high, wide))
    return torch.hypot(down[:, None], across) < AT_FIRST * min(high, wide)


def _filled(photo: tuple[Tensor, Tensor], seed: int) -> list[Any]:
    x, hidden = photo
    square = f.around(x, hidden)
    made, once = f.answers(square, seeds_from(seed, ANSWERS)), f.gated(square)
    spread = (2 * made.x.std(0, keepdim=True, correction=0)).clamp(0, 1)
    real = f.squared_around(x, square)
    tiles = torch.cat([torch.where(square.seen, square.x, torch.tensor(0.4)), once, spread, real])
    rows = [
        Row(still(tiles), ANSWERS, "around the hole", heads=("seen", "gated", "2 × std", "real"), kind="data", view=PHOTOS),
        Row(bare(made.frames, FRAMES), ANSWERS, "diffusion", f"four answers; {made.receipt.cost}", view=PHOTOS),
    ]
    pictures = [("diffusion, answer 1", made.x[0]), ("diffusion, answer 2", made.x[1]), ("gated", once[0])]
    large = [(name, f.laid_back(x, hidden, square, each)) for name, each in pictures]
    return [
        Film(rows, f"{ID}-{seed}", str(made.receipt)),
        of_album(large, f"{ID}-{seed}", "the photo, its hole filled and nothing else changed", exact=True),
    ]
