"""The card beside a family's samples: its idea from assets/lessons, its figures from the manifest, the code in a few lines."""

from __future__ import annotations

import html

from dgm_models import weights
from dgm_models.contracts import SEED_LIMIT, Settings
from dgm_models.evaluation.figures import FIGURES
from dgm_models.ui.widgets import ASSETS

IDEA = ("**Sample**", "**Learn**", "**Likelihood**")
LATEX = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]


def idea(lesson: str) -> str:
    """Markdown with LaTeX: the density, then how one samples from it, how it learns and what its likelihood is."""
    first, rest = _parts(lesson)
    return "\n\n".join([first, *(each for each in rest if each.startswith(IDEA))])


def limits(lesson: str) -> str:
    """The rest of a lesson: more on the model, where it ends, the papers."""
    return "\n\n".join(each for each in _parts(lesson)[1] if not each.startswith(IDEA))


def _parts(lesson: str) -> tuple[str, list[str]]:
    """Title and density; the paragraphs."""
    first, *rest = (ASSETS / "lessons" / f"{lesson}.md").read_text(encoding="utf-8").strip().split("\n\n")
    return first, rest


def figures(id: str) -> str:
    """HTML: what a model scored, with a word on each where one points; figures that were not measured are left out."""
    entry = weights.manifest().get(id, {})
    rows = [(each.name, each.show(entry.get("scores", {})), each.protocol) for each in FIGURES if "card" in each.on]
    rows += [
        ("parameters", f"{entry.get('parameters', 0) / 1e6:.2f} M", "of all networks"),
        ("file", f"{entry.get('bytes', 0) / 1e6:.1f} MB", ""),
    ]
    lines = [
        f'<tr title="{html.escape(how)}"><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value, how in rows
        if value is not None
    ]
    return f'<table class="dgm-figures">{"".join(lines)}</table>'


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
