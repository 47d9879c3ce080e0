"""How digits are written: what is measured of known strokes, and what a model that heeds it begins as."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from dgm_models import catalog
from dgm_models.applications import written as w
from dgm_models.conditions import Classes, Described, Numbers
from dgm_models.contracts import Noise
from dgm_models.data import mnist
from dgm_models.modalities import strokes

TOLD = Described(Classes(("a", "b")), Numbers(("slant", "width"), ((-10.0, 10.0), (0.0, 4.0))))


def bar(width: int, lean: float = 0.0):
    """An upright bar of 20 rows, or one that leans to the right by so many columns a row."""
    x = torch.zeros(1, 1, 28, 28)
    for row in range(20):
        left = 12 + round(lean * (10 - row))
        x[0, 0, 4 + row, left : left + width] = 1
    return x


@pytest.mark.parametrize("width", [2, 3, 4, 6])
def test_a_bar_is_as_thick_as_it_was_drawn(width):
    slant, thickness, wide, tall = strokes.measure(bar(width))[0].tolist()
    assert slant == pytest.approx(0, abs=0.1)
    assert thickness == pytest.approx(width, abs=0.6)
    assert wide == pytest.approx(width, abs=0.1)
    assert tall == pytest.approx(20, abs=1)


def test_a_bar_that_leans_has_its_slant_and_no_more_width():
    for lean in (-0.5, 0.25, 0.5):
        slant, _, wide, _ = strokes.measure(bar(3, lean))[0].tolist()
        assert slant == pytest.approx(math.degrees(math.atan(lean)), abs=1.5)
        assert wide < 5


def test_what_is_measured_is_of_each_picture_alone_and_an_empty_one_has_nothing():
    x = mnist.pixels(mnist.test()[0][:6])
    assert torch.allclose(strokes.measure(x)[2:3], strokes.measure(x[2:3]), atol=1e-4)
    assert strokes.measure(torch.zeros(1, 1, 28, 28)).tolist() == [[0, 0, 0, 0]]
    thick = torch.nn.functional.max_pool2d(x, 3, stride=1, padding=1)
    assert (strokes.measure(thick)[:, 1] > strokes.measure(x)[:, 1] + 0.8).all()
    mirrored = strokes.measure(x.flip(3))
    assert torch.allclose(mirrored[:, 0], -strokes.measure(x)[:, 0], atol=0.1)
    assert torch.allclose(mirrored[:, 1:], strokes.measure(x)[:, 1:], atol=0.2)


def test_a_turned_picture_turns_back():
    x = mnist.pixels(mnist.test()[0][:4])
    assert torch.allclose(strokes.turned(x, 0), x, atol=1e-5)
    assert torch.allclose(strokes.turned(x, 90), x.rot90(-1, (2, 3)), atol=1e-4)
    assert (strokes.turned(strokes.turned(x, 30), -30) - x).abs().mean() < 0.06


def test_a_class_and_numbers_are_one_condition():
    y = TOLD.check(torch.tensor([[1.0, 5.0, 1.0], [-1.0, -10.0, 4.0]]), 2)
    assert y.tolist() == [[0, 1, 0.5, -0.5, 1], [0, 0, -1, 1, 1]]
    assert TOLD.is_null(TOLD.check(None, 3)).all()
    assert not TOLD.is_null(y).any()
    for bad, says in (
        ([[0.5, 0, 1]], "whole numbers"),
        ([[2.0, 0, 1]], "labels from 0 to 1"),
        ([[0.0, 11, 1]], "slant: expected a number from -10 to 10"),
        ([[0.0, 1]], "a label and slant, width"),
        ([[0.0, float("nan"), 1]], "slant: expected"),
    ):
        with pytest.raises(ValueError, match=says):
            TOLD.check(torch.tensor(bad), 1)


def test_a_model_that_heeds_numbers_begins_as_the_one_that_heeds_labels():
    model, teacher = catalog.build(catalog.recipe(w.WRITER)), catalog.load("diffusion-mnist")
    list(model.lessons(teacher))
    model.eval()
    labels = torch.tensor([3, 7, -1])
    asked = torch.cat([labels[:, None].float(), torch.tensor([[5.0, 2.0, 12.0, 19.0]]).expand(3, -1)], 1)
    settings = model.Settings(steps=4)
    assert torch.allclose(model.sample(Noise([1, 2, 3]), asked, settings), teacher.sample(Noise([1, 2, 3]), labels, settings), atol=1e-4)
    assert torch.allclose(model.sample(Noise([1]), None, settings), teacher.sample(Noise([1]), None, settings), atol=1e-4)


def test_a_model_that_begins_as_another_ends_on_the_way_to_where_training_led():
    recipe = catalog.recipe(w.WRITER)
    model = catalog.build(replace(recipe, family_config={**recipe.family_config, "apart": 0.75}))
    lesson = model.lessons(catalog.load("diffusion-mnist"))
    next(lesson)
    begun = [p.detach().clone() for p in model.parameters()]
    with torch.no_grad():
        for p in model.parameters():
            p += 1
    assert list(lesson) == []
    assert all(torch.allclose(now, then + 0.75, atol=1e-5) for now, then in zip(model.parameters(), begun, strict=True))


def test_the_data_set_says_how_each_digit_is_written():
    x, y = mnist.AS_WRITTEN.shown()
    assert len(x) == len(y) == mnist.SHAPED
    assert torch.equal(y[:, 0].long(), mnist.test()[1][: mnist.SHAPED])
    mnist.AS_WRITTEN.condition.check(y, len(y))
