"""Style, rotation, thickness in a real browser: a slider changes the digits and nothing else, one's own digit lends its hand."""

from __future__ import annotations

import re

import pytest
import torch
from playwright.sync_api import expect

from dgm_models.applications import written as w
from dgm_models.data import mnist

HAND = [10.0, 2.2, 13.0, 19.5]


def test_what_is_asked_for_is_what_is_measured():
    thin, thick = (w.write([2, 4, 8] * 8, [[10.0, thickness, 13.0, 19.5]] * 24, list(range(24))).measured for thickness in (1.3, 4.0))
    assert thin[:, 1].mean() + 1.5 < thick[:, 1].mean()
    left, right = (w.write([2, 4, 8] * 8, [[slant, 2.2, 13.0, 19.5]] * 24, list(range(24))).measured for slant in (-25.0, 25.0))
    assert left[:, 0].mean() + 30 < right[:, 0].mean()


def test_a_row_is_the_same_alone_and_turning_is_all_that_turning_does():
    one, other = w.write([3, 7], [HAND] * 2, [5, 6]), w.write([7], [HAND], [6])
    assert (one.frames[-1].x[1:] - other.frames[-1].x).abs().max() < 2 / 255
    turned = w.write([7], [HAND], [6], turn=90.0)
    assert torch.allclose(turned.frames[-1].x, other.frames[-1].x.rot90(-1, (2, 3)), atol=1e-3)
    assert torch.equal(turned.measured, other.measured)


def test_a_sweep_has_its_values_in_its_rows():
    made, values = w.swept(4, HAND, 7, 5)
    assert [len(line) for line in values] == [5] * 4
    thickness = made.measured[5:10, 1]
    assert (thickness[1:] > thickness[:-1] - 0.3).all()
    assert thickness[-1] > thickness[0] + 1.5


@pytest.mark.parametrize("bad", [([1], [[99.0, 2, 13, 19]]), ([12], [HAND]), ([], [])])
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        w.write(*bad, [1])
    with pytest.raises(ValueError, match="empty pad"):
        w.shape_of(torch.zeros(1, 1, 28, 28))


def test_a_slider_changes_what_is_shown_and_the_address(page, served):
    page.goto(f"{served}/?tab=style&digit=5&thickness=1.2&seed=3")
    player = page.locator("#player-style .dgm-player")
    page.wait_for_function("document.querySelector('#player-style .dgm-player')?.dataset.link?.includes('thickness=1.2')", timeout=60_000)
    expect(player).to_contain_text(re.compile(r"measured, a mean.*slant .*thickness 1\.\d px"), timeout=30_000)
    slider = page.get_by_label(re.compile("thickness")).locator("visible=true").first
    slider.fill("4.5")
    slider.press("Enter")
    expect(player).to_contain_text(re.compile(r"thickness [345]\.\d px"), timeout=60_000)


def test_ones_own_digit_lends_its_hand(page, served):
    page.goto(f"{served}/?tab=style.borrowed")
    told = page.locator("#chart-style-borrowed table")
    expect(told).to_contain_text("thickness", timeout=60_000)
    mine, theirs = (float(each.split()[0]) for each in told.locator("tr").nth(2).locator("td").all_text_contents())
    assert abs(mine - theirs) < 0.8


def test_what_was_asked_for_and_measured_go_together(page, served):
    page.goto(f"{served}/?tab=style.asked&of=slant&digit=8")
    chart = page.locator("#chart-style-asked svg.dgm-chart")
    expect(chart).to_contain_text("asked for: slant", timeout=60_000)
    assert chart.locator("circle").count() == w.WISHES
    assert float(re.search(r"correlation (\d\.\d+)", chart.text_content())[1]) > 0.7


def test_the_test_digits_measure_as_they_did():
    """The median hand of the digits that ship, so that what sliders mean stays."""
    _, y = mnist.AS_WRITTEN.shown()
    assert y[:, 1:].median(0).values.tolist() == pytest.approx([0.0, 2.2, 13.0, 20.0], abs=1.2)
