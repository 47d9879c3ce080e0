"""Charts: what is tall is tall, names do not collide, and no text of a person's gets through as markup."""

from __future__ import annotations

import re

import pytest
import torch

from dgm_models.ui.charts import LETTER, LINE, Group, bars, beside, decay, histograms, lines, trade_offs


def test_a_histogram_holds_every_group_and_mark():
    groups = [Group("<data>", torch.randn(300), "data"), Group("samples", torch.randn(300) + 3, "model")]
    chart = histograms(groups, [("near", 0.1), ("yours", 0.12)], "score & more")
    assert "<data>" not in chart
    assert "&lt;data&gt;" in chart
    assert chart.count('class="mark"') == 2
    heights = {name: re.findall(rf">{name}<", chart) for name in ("near", "yours")}
    assert all(len(found) == 1 for found in heights.values())
    places = [float(y) for y in re.findall(r'y="([\d.]+)" text-anchor="\w+">(?:near|yours)<', chart)]
    assert abs(places[0] - places[1]) >= 14
    assert "nan" not in chart


def test_bars_are_as_tall_as_their_values():
    chart = bars([1.0, 2.0, 0.0], ["a", "b", "c"], "names", "said")
    tall = [float(h) for h in re.findall(r'class="model"[^>]*height="([\d.]+)"', chart)]
    assert tall[1] == pytest.approx(2 * tall[0], abs=0.2)
    assert tall[2] == 0


def test_a_line_falls_where_its_numbers_fall_and_bears_infinity():
    chart = lines([[1000.0, 10.0, 1.0], [5.0, float("inf"), float("nan")]], "step", "energy")
    first = [float(pair.split(",")[1]) for pair in re.findall(r'points="([^"]+)"', chart)[0].split()]
    assert first == sorted(first)
    assert "nan" not in chart
    assert "inf" not in chart


def test_trade_offs_have_a_dot_for_each_temperature():
    assert trade_offs({}) == ""
    chart = trade_offs({"<one>": [(0.4, 0.9, 0.2), (1.0, 0.8, 0.9)], "two": [(0.4, 0.95, 0.1), (1.0, 0.7, 0.7)]})
    assert "<one>" not in chart
    assert chart.count("<circle") == 4
    assert chart.count("<polyline") == 2
    across = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', chart)]
    assert across[0] < across[1]  # more recall lies to the right
    assert len(set(re.findall(r"hsl\([^)]*\)", chart))) == 2


def test_lines_that_fall_are_named_where_they_end_and_no_names_touch():
    chart = decay({"MMD": [1.0, 0.1, 0.01], "Stein": [1.0, 0.5, 0.0101], "lost": [1.0, float("inf"), 0.9]}, "step", "distance")
    at = [float(y) for y in re.findall(r'<text class="small" x="435" y="([\d.]+)">', chart)]
    assert len(at) == 3
    assert all(abs(a - b) >= 14 for a in at for b in at if a != b)
    assert "inf" not in chart
    assert "MMD 0.0100" in chart
    assert ">0.1</text>" in chart


def test_titles_stand_beside_their_dots_and_clear_of_all_others():
    """A cluster of seven near the right edge: nothing is covered, nothing cut off, and each title is next to its own dot."""
    dots = [(100, 100), (118, 104), (130, 112), (240, 96), (248, 118), (390, 100), (10, 190)]
    titles = ["one", "two", "three", "four", "five", "at the edge", "corner"]
    boxes = []
    for (x, base, anchor), title in zip(beside(dots, titles, 6, (0, 0, 400, 200)), titles, strict=True):
        wide, y = LETTER * len(title), base - 4
        left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[anchor]
        boxes.append((left, y - LINE / 2, left + wide, y + LINE / 2))
    assert all(left >= 0 and top >= 0 and right <= 400 and bottom <= 200 for left, top, right, bottom in boxes)
    assert beside([(50, 50), (50, 90)], ["far", "apart"], 6, (0, 0, 400, 200)) == [(60, 54, "start"), (60, 94, "start")], (
        "to the right, where nothing is"
    )
    around = [(x - 6, y - 6, x + 6, y + 6) for x, y in dots]
    for k, box in enumerate(boxes):
        for other in [*boxes[:k], *around]:
            assert box[0] >= other[2] or other[0] >= box[2] or box[1] >= other[3] or other[1] >= box[3], (titles[k], other)
        x, y = dots[k]
        assert max(box[0] - x, x - box[2], 0) <= 12, titles[k]
        assert max(box[1] - y, y - box[3], 0) <= LINE, titles[k]
