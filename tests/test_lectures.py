"""Lessons: each step has what a reader needs, and its address opens a view without a fault."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
import yaml

from dgm_models.ui.app import build_app
from dgm_models.ui.widgets import ASSETS

PANELS = build_app(firsts=False).panels
STEPS = [
    (path.stem, number, step)
    for path in sorted((ASSETS / "lectures").glob("*.yaml"))
    for number, step in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")), 1)
]


@pytest.mark.parametrize(("lecture", "number", "step"), STEPS, ids=[f"{lecture}-{number}" for lecture, number, _ in STEPS])
def test_a_step_opens_its_view(lecture, number, step):
    assert set(step) == {"address", "title", "words", "notes"}
    assert all(isinstance(text, str) and text.strip() for text in step.values())
    assert len(step["words"]) < 120, "words for an audience"
    query = dict(parse_qsl(step["address"].removeprefix("?")))
    _, faults = PANELS[query["tab"]].understood(query)
    assert not faults
    assert set(query) <= {"tab", *(field.name for field in PANELS[query["tab"]].fields)}
