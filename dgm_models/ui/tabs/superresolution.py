"""Super-resolution: shrink a digit; every family answers with sharp samples, beside the two answers that are blurred."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.restore import bicubic
from dgm_models.measurements import Shrink
from dgm_models.ui import panel as p
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.tabs.shared import ANSWERS, READER, REGRESSOR, Models, answer_rows, grown, restoring
from dgm_models.ui.widgets import Live

ID, TITLE = "super-resolution", "Super-resolution"
FACTORS = {"2×": 2, "4×": 4, "7×": 7}


def build() -> Live:
    choices = Models("restore", Shrink)

    def enlarged(x: Tensor, factor: str, models: list[str], y: int, seed: int) -> Iterator[list[Any]]:
        ids, away = choices.ids(models), Shrink(FACTORS[factor])
        seen = away(x)
        blurred = [away.pinv(seen), bicubic(seen, away.factor), catalog.load(REGRESSOR).restore(seen, away), x]
        heads = ("seen", "bicubic", "least error", "original")
        row = Row(still(torch.cat(blurred)), ANSWERS + 2, "not samples", "one answer each", heads, "data")
        receipt = f"seeds {seed} to {seed + ANSWERS - 1} · " + choices.provenance([*ids, READER, REGRESSOR])
        yield from grown(Film([row], f"super-resolution-{seed}", receipt), answer_rows(ids, seen, away, seed, y))

    return p.panel(
        ID,
        [
            p.column(2, p.pad(ID, 7), p.choice("factor", "Shrink by", list(FACTORS), "4×", radio=True), restoring(choices, "Enlarge")),
            p.column(7, p.player(ID), width=300),
        ],
        enlarged,
        TITLE,
        api_name=ID,
    )
