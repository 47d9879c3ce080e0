"""The README's tables of results, one a data set, generated from the manifest: never typed."""

from __future__ import annotations

from pathlib import Path

from dgm_models import catalog, weights
from dgm_models.data import SETS
from dgm_models.evaluation.figures import FIGURES

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- results -->", "<!-- /results -->"


def table(data: str) -> str:
    """Markdown: a row a generative model of a data set, a column a figure that any of them has; nothing where none has any."""
    known = weights.manifest()
    rows = [catalog.recipe(id) for id in _listed(data)]
    scores = {row.id: known[row.id].get("scores", {}) for row in rows}
    columns = [figure for figure in FIGURES if "table" in figure.on and any(figure.key in found for found in scores.values())]
    if not columns:
        return ""
    lines = ["| model | parameters | " + " | ".join(figure.name for figure in columns) + " |", "|" + "---|" * (len(columns) + 2)]
    for row in rows:
        cells = [figure.show(scores[row.id]) or "" for figure in columns]
        lines.append(f"| {row.title} (`{row.id}`) | {known[row.id]['parameters'] / 1e6:.2f} M | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def tables() -> str:
    """All of them, each under the name of its data."""
    found = {data.title: table(data.id) for data in SETS.values()}
    return "\n\n".join(f"### {title}\n\n{lines}" for title, lines in found.items() if lines)


def _listed(data: str) -> list[str]:
    """The trained models of a data set that draw, and what they are compared with; of one that is another's in another way, or whose
    models serve one panel each, those."""
    known = weights.manifest()
    of_role = lambda *roles: [id for id, row in catalog.MODELS.items() if id in known and row.data == data and row.role in roles]  # noqa: E731
    drawing = [] if SETS[data].of else catalog.models_for("sample", data=data)
    return [*drawing, *of_role("companion", "stage")] or of_role("part")


def write_table(path: Path = README) -> None:
    """Put the tables between their marks; ValueError where the marks are missing."""
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{path.name}: expected the marks {BEGIN} and {END}")
    before, rest = text.split(BEGIN, 1)
    path.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")
