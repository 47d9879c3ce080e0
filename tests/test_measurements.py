"""A(A.pinv(m)) = m, and what is put back stays."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from dgm_models.measurements import Bicubic, Grey, Hide, Shrink, put_back_in_range

x = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
mask = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(1)) < 0.5


@pytest.mark.parametrize("away", [Hide(mask), Shrink(2), Shrink(4), Shrink(7), Bicubic(2), Bicubic(4)], ids=repr)
def test_right_inverse(away):
    seen = away(x)
    assert torch.allclose(away(away.pinv(seen)), seen, atol=1e-6)
    assert torch.allclose(away(away.put_back(torch.zeros_like(x), seen)), seen, atol=1e-6)
    projected = away.pinv(away(torch.rand_like(x)))
    assert torch.allclose(away.pinv(away(projected)), projected, atol=1e-5)
    inside = put_back_in_range(torch.rand_like(x) * 3 - 1, seen, away)
    assert inside.min() >= 0
    assert inside.max() <= 1
    assert (away(inside) - seen).abs().max() < 1 / 255


def test_hidden_pixels_are_put_back_to_the_last_bit_however_near_they_are():
    away = Hide(mask)
    assert torch.equal(away(put_back_in_range(x + 1e-6, away(x), away)), away(x))


def test_a_picture_is_put_back_as_it_would_be_alone():
    away, noise = Shrink(7), torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
    far = noise * torch.tensor([0.01, 0.1, 1.0, 3.0, 10.0]).view(5, 1, 1, 1)
    together = put_back_in_range(far, away(x), away)
    assert all(torch.equal(put_back_in_range(far[i : i + 1], away(x[i : i + 1]), away)[0], together[i]) for i in range(5))


def test_grey_is_a_right_inverse_too():
    colour = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(Grey()(Grey().pinv(Grey()(colour))), Grey()(colour), atol=1e-6)
    with pytest.raises(ValueError, match="pictures of 3 colours, got 1"):
        Grey()(colour[:, :1])


@pytest.mark.parametrize("factor", [2, 4])
def test_a_bicubic_measurement_is_what_torch_calls_antialiased(factor):
    colour = torch.rand(2, 3, 24, 16, generator=torch.Generator().manual_seed(0))
    theirs = F.interpolate(colour, scale_factor=1 / factor, mode="bicubic", antialias=True, align_corners=False)
    assert torch.allclose(Bicubic(factor)(colour), theirs, atol=1e-5)


@pytest.mark.parametrize("away", [Hide(mask), Shrink(4)], ids=repr)
def test_gain_is_the_diagonal_of_A_A_transposed(away):
    """A is linear, so A A^T can be read off by autograd."""
    point = torch.zeros(1, 1, 28, 28, requires_grad=True)
    out = away(point)
    at = (0, 0, *mask[0].nonzero()[0].tolist()) if isinstance(away, Hide) else (0, 0, 3, 3)
    (row,) = torch.autograd.grad(out[at], point)
    assert row.square().sum().item() == pytest.approx(away.gain)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="whole factor"):
        Shrink(0)
    with pytest.raises(ValueError, match="sides that 5 divides"):
        Shrink(5)(x)
    with pytest.raises(ValueError, match="mask of bool"):
        Hide(torch.ones(1, 28, 28))


def test_rows_of_a_measurement_belong_to_their_pictures():
    own = Hide(torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(2)) < 0.5)
    index = torch.tensor([3, 3, 0])
    assert torch.equal(own.rows(index)(x[index]), own(x)[index])
    for shared in (Hide(mask), Shrink(4)):
        assert torch.equal(shared.rows(index)(x[index]), shared(x)[index])
