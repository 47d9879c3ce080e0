"""The card beside a family's samples: its idea from assets/lessons, its figures from the manifest, the code in a few lines."""

from __future__ import annotations

from typing import Any

from dgm_models import weights
from dgm_models.contracts import SEED_LIMIT, Settings
from dgm_models.evaluation.figures import FIGURES
from dgm_models.ui.widgets import ASSETS

LATEX = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]


def card(id: str, lesson: str) -> str:
    """Markdown with LaTeX: the density, the figures, then the rest of the lesson."""
    entry = weights.manifest().get(id, {})
    rows = [("parameters", f"{entry.get('parameters', 0) / 1e6:.2f} M"), ("file", f"{entry.get('bytes', 0) / 1e6:.1f} MB")]
    rows += figures(entry.get("scores", {}))
    table = "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)
    formula, rest = (ASSETS / "lessons" / f"{lesson}.md").read_text(encoding="utf-8").split("\n\n", 1)
    return f"{formula}\n\n{table}\n\n{rest}"


def figures(scores: dict[str, Any]) -> list[tuple[str, str]]:
    """What a person wants of the scores, worded; figures that were not measured are left out."""
    shown = [(figure.name, figure.show(scores)) for figure in FIGURES if "card" in figure.on]
    return [(name, words) for name, words in shown if words is not None]


def snippet(id: str, choice_code: str, count: int, seed: int, settings: Settings) -> str:
    """At most 15 lines that draw the same picture."""
    defaults = {name: default for name, (default, _) in settings.knobs().items()}
    changed = {name: value for name in defaults if (value := getattr(settings, name)) != defaults[name]}
    arguments = ", ".join(f"{name}={value!r}" for name, value in changed.items())
    wraps = seed + count > SEED_LIMIT
    seeds = f"[({seed} + i) % 2**32 for i in range({count})]" if wraps else f"range({seed}, {seed} + {count})"
    return "\n".join(
        [
            "import torch",
            "from dgm_models import Noise, load",
            "",
            f'model = load("{id}")',
            f"y = {choice_code}",
            f"noise = Noise({seeds})",
            f"x = model.sample(noise, y, model.Settings({arguments}))",
        ]
    )
