"""The README's table of results, generated from the manifest: never typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dgm_models import catalog, weights

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- results -->", "<!-- /results -->"
Show = tuple[str, str, str]

COLUMNS: tuple[Show, ...] = (
    ("read as asked", "read_as_asked", "{:.1%}"),
    ("guided or cooled", "read_as_asked_guided", "{:.1%}"),
    ("Frechet / floor", "frechet_ratio", "{:.2f}"),
    ("guided or cooled", "frechet_ratio_guided", "{:.2f}"),
    ("precision", "precision", "{:.2f}"),
    ("recall", "recall", "{:.2f}"),
    ("trained on synthetic", "train_on_synthetic", "{:.2%}"),
    ("bits a dimension, at most", "bits_per_dimension", "{:.2f}"),
    ("on digits", "likelihood_digits", "{:,}"),
    ("nats, black and white", "nats", "{:.1f}"),
    ("inpainted, read as original", "inpainting_read_as_original", "{:.1%}"),
    ("on digits", "inpainting_digits", "{:,}"),
    ("4x enlarged, read as original", "super_resolution_read_as_original", "{:.1%}"),
    ("on digits", "super_resolution_digits", "{:,}"),
    ("16 digits, ms", "milliseconds_16", "{:.0f}"),
)


def table() -> str:
    """Markdown: a row a generative model."""
    known = weights.manifest()
    rows = [row for row in catalog.MODELS.values() if row.generative and not row.hidden and row.id in known]
    lines = ["| model | parameters | " + " | ".join(name for name, _, _ in COLUMNS) + " |", "|" + "---|" * (len(COLUMNS) + 2)]
    for row in rows:
        entry = known[row.id]
        cells = [_cell(entry.get("scores", {}), key, form) for _, key, form in COLUMNS]
        lines.append(f"| {row.title} (`{row.id}`) | {entry['parameters'] / 1e6:.2f} M | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(scores: dict[str, Any], key: str, form: str) -> str:
    return form.format(scores[key]) if scores.get(key) is not None else ""


def write_table(path: Path = README) -> None:
    """Put the table between its marks; ValueError where the marks are missing."""
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{path.name}: expected the marks {BEGIN} and {END}")
    before, rest = text.split(BEGIN, 1)
    path.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")
