"""Scenes: what a caption says is what is drawn."""

from __future__ import annotations

import pytest
import torch

from dgm_models.data import SETS
from dgm_models.modalities import scene
from dgm_models.modalities.strokes import measure

COUNT = 60


@pytest.fixture(scope="module")
def scenes():
    """Digits, what is wished for, and pictures."""
    x, y = SETS["mnist"].shown()
    stream = torch.Generator().manual_seed(3)
    at = torch.randint(0, len(x), (COUNT,), generator=stream)
    wish = torch.stack([torch.randint(0, len(each), (COUNT,), generator=stream) for each in scene.ATTRIBUTES.values()], 1)
    wish[:, 0] = y[at]
    digits = SETS["mnist"].space.read(x[at])
    return digits, wish, scene.draw(digits, wish, torch.Generator().manual_seed(5))


def of(wish, name):
    return wish[:, scene.NAMES.index(name)]


def test_a_scene_is_a_function_of_its_digit_its_wish_and_its_stream(scenes):
    digits, wish, pictures = scenes
    assert pictures.shape == (COUNT, 3, scene.SIDE, scene.SIDE)
    assert torch.equal(scene.draw(digits, wish, torch.Generator().manual_seed(5)), pictures)
    assert not torch.equal(scene.draw(digits, wish, torch.Generator().manual_seed(6)), pictures)


def test_ground_and_shape_have_their_colours_and_the_digit_lies_where_it_should(scenes):
    digits, wish, pictures = scenes
    grounds, paints = (torch.tensor(list(each.values())) / 255 for each in (scene.GROUNDS, scene.PAINT))
    off = (pictures[:, :, 0, 0] - grounds[of(wish, "ground")]).abs()
    assert off.max() <= scene.OFF + 1e-4
    way = torch.tensor(list(scene.PLACES.values()))[of(wish, "place")]
    middle = (scene.SIDE * (0.5 - 0.31 * way)).long()  # of the shape, whatever its size
    found = pictures[torch.arange(COUNT), :, middle[:, 1], middle[:, 0]]
    off = (found - paints[of(wish, "shape colour")]).abs().amax(1)
    assert (off <= scene.OFF + 1e-4).float().mean() > 0.9  # here and there a stroke crosses it
    without = wish.clone()
    without[:, scene.NAMES.index("colour")] = (of(wish, "colour") + 1) % len(paints)
    ink = (pictures - scene.draw(digits, without, torch.Generator().manual_seed(5))).abs().sum(1)
    place = torch.arange(scene.SIDE) + 0.5
    centre = torch.stack([(ink.sum(1) * place).sum(1), (ink.sum(2) * place).sum(1)], 1) / ink.sum((1, 2))[:, None]
    assert (((centre - scene.SIDE / 2) * way).sum(1) > 2).all()  # on its side of the middle


def test_digits_lean_as_they_are_told_to(scenes):
    digits, wish, _ = scenes
    for at, slant in enumerate(scene.SLANTS.values()):
        tall = torch.full((COUNT,), 40.0)
        found = measure(scene._placed(digits, torch.full((COUNT, 2), 32.0), tall, torch.full((COUNT,), slant)))[:, 0]
        assert (found - slant).abs().mean() < 3, list(scene.SLANTS)[at]


def test_shapes_are_as_large_as_they_should_be():
    """The areas of a circle, a square, a triangle and a star whose corners lie on circles."""
    wide, middle = torch.full((4,), 20.0), torch.full((4, 2), 32.0)
    area = scene._shaped(torch.arange(4), middle, wide).sum((1, 2, 3))
    fifth = torch.tensor(torch.pi / 5)
    star = 10 * 0.5 * 20 * (0.42 * 20 * fifth.cos() ** 2) * fifth.tan()
    wanted = torch.tensor([torch.pi * 18**2, 2 * 20**2, 3 * 3**0.5 / 4 * 20**2, float(star)])
    assert torch.allclose(area, wanted, rtol=0.05)
