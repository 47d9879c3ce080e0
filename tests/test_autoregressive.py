"""Autoregressive laws: exact, causal, and the same from caches as in parallel."""

from __future__ import annotations

import itertools

import pytest
import torch

from dgm_models.conditions import Classes
from dgm_models.contracts import Noise, last
from dgm_models.families.autoregressive import Autoregressive
from dgm_models.measurements import Hide
from dgm_models.networks.raster import Causal, RasterNet
from dgm_models.spaces import Pixels


def rough(shape: tuple[int, int, int], levels: int) -> Autoregressive:
    """Untrained, but with weights large enough that every pixel matters."""
    torch.manual_seed(0)
    network = RasterNet(shape, levels, classes=2, width=16, above=8, rows=2, depth=1, window=3, memory=8, dropout=0.5)
    for part in network.parameters():
        part.data += 0.3 * torch.randn(part.shape)
    return Autoregressive(network, Pixels(*shape), Classes(2)).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def binary() -> Autoregressive:
    return rough((1, 2, 2), 2)


@pytest.fixture(scope="module")
def grey() -> Autoregressive:
    return rough((1, 6, 6), 256)


ALL_BINARY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4))).view(16, 1, 2, 2)


@pytest.mark.parametrize("label", [None, 0, 1])
def test_the_probabilities_of_all_pictures_sum_to_one(binary, label):
    y = None if label is None else torch.full((16,), label)
    p = binary.log_prob(ALL_BINARY, y).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    assert p.max() > 2 * p.min()  # and the model is no uniform one


def test_the_levels_of_each_pixel_sum_to_one(grey):
    p = grey.next_probabilities(torch.rand(3, 1, 6, 6))
    assert p.shape == (3, 36, 256)
    assert torch.allclose(p.sum(2), torch.ones(3, 36), atol=1e-5)


def test_no_pixel_hears_of_itself_or_of_a_later_one(grey):
    """By gradient, through both ways that a pixel enters: its features and the count of its level."""
    levels = torch.randint(0, 256, (1, 6, 6))
    told = grey.network.table[levels].requires_grad_()
    one_hot = torch.nn.functional.one_hot(levels, 256).float().requires_grad_()
    logits = grey.network.look(told, one_hot.sum(2), torch.tensor([1]))
    for i in range(36):
        slopes = torch.autograd.grad(logits[0, i].square().sum(), [told, one_hot], retain_graph=True, allow_unused=True)
        heard = sum(slope.abs().flatten(1, 2).sum(2)[0] for slope in slopes if slope is not None)
        assert torch.all(heard[i:] == 0), i
        assert i == 0 or heard[:i].max() > 0, i


def test_hidden_features_are_dropped_in_training_alone():
    model, x = rough((1, 6, 6), 256), torch.rand(2, 1, 6, 6)
    levels, none = model.space.to_levels(x, 256), torch.tensor([2, 2])
    assert torch.equal(model.network(levels, none), model.network(levels, none))
    model.train()
    assert not torch.allclose(model.network(levels, none), model.network(levels, none), atol=1e-3)


def test_caches_change_nothing(grey):
    x, y = torch.rand(3, 1, 6, 6), torch.tensor([0, 2, 1])
    levels = grey.space.to_levels(x, 256)
    together, cached, again = grey.network(levels, y), grey.network.begin(y), Causal.begin(grey.network, y)
    for i in range(36):
        assert torch.allclose(grey.network.predict(cached), together[:, i], atol=1e-4), i
        assert torch.allclose(Causal.predict(grey.network, again), together[:, i], atol=1e-4), i
        grey.network.append(cached, levels.flatten(1)[:, i])
        Causal.append(grey.network, again, levels.flatten(1)[:, i])


def test_samples_come_as_often_as_the_model_says(binary):
    drawn = binary.sample(Noise(range(4000)), torch.zeros(4000, dtype=torch.long), binary.Settings(temperature=1, guidance_scale=1))
    seen = torch.bincount((drawn.flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long(), minlength=16) / 4000
    assert torch.allclose(seen, binary.log_prob(ALL_BINARY, torch.zeros(16, dtype=torch.long)).exp(), atol=0.03)


def test_many_particles_draw_from_the_posterior(binary):
    """The last pixel seen: one particle ignores it, many of them take what it says about the first three."""
    y, mask = torch.ones(16, dtype=torch.long), torch.tensor([[[False, False], [False, True]]])
    p = binary.log_prob(ALL_BINARY, y).exp().view(2, 2, 2, 2)
    seen = torch.zeros(3000, 1, 2, 2)
    blind, wise = (
        last(binary.restore(seen, Hide(mask), Noise(range(3000)), y[:1].expand(3000), binary.Restoring(particles=many))).x.flatten(1)[:, :3]
        for many in (1, 16)
    )
    index = torch.tensor([4.0, 2.0, 1.0])
    shares = [torch.bincount((x @ index).long(), minlength=8) / 3000 for x in (blind, wise)]
    assert torch.allclose(shares[0], p.sum(3).flatten(), atol=0.04)
    assert torch.allclose(shares[1], (p[..., 0] / p[..., 0].sum()).flatten(), atol=0.05)


def test_the_receptive_field_ends_before_the_pixel(grey):
    field = grey.receptive_field(torch.rand(1, 1, 6, 6), 20)
    assert field.shape == (1, 1, 6, 6)
    assert field.flatten()[:20].max() > 0
    assert torch.all(field.flatten()[20:] == 0)


def test_guidance_strengthens_what_the_label_says(binary):
    """The first pixel: log-odds with guidance scale 2 are twice the label's minus once those without a label."""
    odds = [binary.network(torch.zeros(1, 1, 2, 2, dtype=torch.long), torch.tensor([y]))[0, 0].diff() for y in (0, 2)]
    expected = torch.sigmoid(2 * odds[0] - odds[1])
    x = binary.sample(Noise(range(4000)), torch.zeros(4000, dtype=torch.long), binary.Settings(temperature=1, guidance_scale=2))
    assert x[:, 0, 0, 0].mean().item() == pytest.approx(expected.item(), abs=0.03)
