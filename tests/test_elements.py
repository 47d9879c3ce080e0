"""What people hold becomes elements of a model's space, and comes back the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from dgm_models import read, write
from dgm_models.modalities import elements
from dgm_models.spaces import Pixels, Reals

CHANCE = np.random.default_rng(0)


@pytest.mark.parametrize(("space", "shape"), [(Pixels(1, 28), (28, 28)), (Pixels(3, 8), (8, 8, 3)), (Pixels(3, 8, 4), (8, 4, 3))])
def test_pictures_come_back_level_by_level(space, shape):
    pictures = [CHANCE.integers(0, 256, shape, np.uint8) for _ in range(3)]
    x = elements.read(space, pictures)
    assert x.shape == (3, *space.shape)
    assert x.dtype == torch.float32
    assert all(np.array_equal(one, other) for one, other in zip(elements.write(space, x), pictures, strict=True))
    assert torch.equal(elements.read(space, pictures[0]), x[:1])
    assert torch.equal(elements.read(space, Image.fromarray(pictures[0])), x[:1])
    assert torch.allclose(elements.read(space, pictures[0] / 255), x[:1])


def test_points_come_back_too():
    points = [np.array([0.5, -1.0]), [2, 3]]
    x = elements.read(Reals((2,)), points)
    assert x.tolist() == [[0.5, -1.0], [2.0, 3.0]]
    assert np.array_equal(np.stack(elements.write(Reals((2,)), x)), np.array(points, np.float32))


def test_what_does_not_fit_is_refused_and_never_stretched():
    for bad, said in (
        (np.zeros((30, 28), np.uint8), r"expected one element of shape \(1, 28, 28\), got an array of \(30, 28\)"),
        (np.zeros((28, 28, 3), np.uint8), "expected one element of shape"),
        (np.full((28, 28), 2.0), r"expected pixels in \[0, 1\]"),
        ("seven", "expected an array of numbers, got str"),
        ([], "expected at least one element"),
    ):
        with pytest.raises(ValueError, match=said):
            read("diffusion-mnist", bad)
    assert len(write("diffusion-mnist", torch.rand(2, 1, 28, 28))) == 2
