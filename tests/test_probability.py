"""Formulas against torch.distributions, and that masses sum to one."""

from __future__ import annotations

import math

import pytest
import torch

from dgm_models import probability as p


def test_log_normal_and_kl_agree_with_torch():
    x, mean, log_std = torch.randn(3, 50, generator=torch.Generator().manual_seed(0)).unbind(0)
    normal = torch.distributions.Normal(mean, log_std.exp())
    assert torch.allclose(p.log_normal(x, mean, log_std), normal.log_prob(x), atol=1e-5)
    unit = torch.distributions.Normal(0.0, 1.0)
    assert torch.allclose(p.kl_normal(mean, log_std), torch.distributions.kl_divergence(normal, unit), atol=1e-5)


@pytest.mark.parametrize("mean", [-1.5, -1.0, 0.0, 0.3, 1.2])
@pytest.mark.parametrize("log_scale", [-6.0, -3.0, 0.0])
def test_the_256_masses_sum_to_one(mean, log_scale):
    levels = torch.arange(256)
    log_mass = p.log_discretized_logistic(levels, torch.tensor(mean, dtype=torch.float64), torch.tensor(log_scale, dtype=torch.float64))
    assert torch.logsumexp(log_mass, 0).item() == pytest.approx(0, abs=1e-9)


def test_bits_and_means():
    assert p.bits_per_dimension(-784 * math.log(2), 784) == pytest.approx(1)
    assert p.log_mean_exp(torch.tensor([0.0, 0.0])).item() == pytest.approx(0)


def test_slerp_keeps_the_length_and_meets_both_ends():
    a, b = torch.randn(2, 4, 100, generator=torch.Generator().manual_seed(0)).unbind(0)
    assert torch.allclose(p.slerp(a, b, 0.0), a, atol=1e-4)
    assert torch.allclose(p.slerp(a, b, 1.0), b, atol=1e-4)
    middle = p.slerp(a, b, 0.5).norm(dim=1)
    assert torch.allclose(middle, (a.norm(dim=1) + b.norm(dim=1)) / 2, rtol=1e-3)
    assert (p.lerp(a, b, 0.5).norm(dim=1) < 0.85 * middle).all()


@pytest.mark.parametrize("hidden", [400, 250, 30])
def test_a_choice_of_positions_is_fair(hidden):
    """Each position's weight is 1 on average, wherever it is busy and however few count."""
    busy = torch.zeros(1, 400, dtype=torch.bool)
    busy[:, 150:260] = True
    among = torch.arange(400)[None] % 40 < hidden / 10
    torch.manual_seed(0)
    at, weight = p.choose_positions(busy.expand(4000, -1), 200, among.expand(4000, -1))
    mean = torch.zeros(400).index_add(0, at.flatten(), weight.flatten()) / 4000
    assert torch.all(mean[~among[0]] == 0)
    assert (mean[among[0]] - 1).abs().max() < 0.25
    assert mean[among[0]].mean().item() == pytest.approx(1, abs=0.01)


def test_temperature_and_top_p():
    logits = torch.tensor([[0.0, 1.0, 2.0, 3.0]]).repeat(3, 1)
    assert torch.equal(p.sharpen(logits, 0.0)[0], torch.tensor([0.0, 0, 0, 1]))
    cold, warm = p.sharpen(logits, 0.5)[0], p.sharpen(logits, 1.5)[0]
    assert cold[3] > warm[3]
    nucleus = p.sharpen(logits, 1.0, 0.8)[0]
    share = logits[0].softmax(0)
    assert torch.allclose(nucleus, torch.tensor([0, 0, share[2], share[3]]) / (share[2] + share[3]))
    assert p.draw(nucleus[None].repeat(3, 1), torch.tensor([0.0, 0.1, 0.999])).tolist() == [2, 2, 3]


@pytest.mark.parametrize("share", [0.05, 0.5, 0.8, 0.95, 0.999])
def test_top_p_keeps_at_least_its_share_and_no_level_more_than_it_takes(share):
    logits = 3 * torch.randn(200, 40, generator=torch.Generator().manual_seed(1))
    before, after = logits.softmax(1), p.sharpen(logits, 1.0, share)
    kept = after > 0
    mass = (before * kept).sum(1)
    least = torch.where(kept, before, torch.inf).amin(1)
    assert bool((mass >= share - 1e-6).all())
    assert bool((mass - least < share + 1e-6).all())  # without the least likely one it would be less
    assert bool((torch.where(kept, 0, before).amax(1) <= least).all())  # what is cut off is less likely than what is kept
    assert torch.allclose(after, before * kept / mass[:, None], atol=1e-6)


def test_patchy_orders_hide_regions():
    """Half of the pixels hidden: in patchy orders far more neighbours share their fate than in even ones; each pixel is hidden as often."""
    torch.manual_seed(0)
    together, often = {}, {}
    for patchy in (0.0, 1.0):
        first = (p.order_keys(400, (1, 28, 28), patchy, torch.device("cpu")).argsort(1).argsort(1) < 392).view(400, 28, 28).float()
        together[patchy] = (first[:, :, 1:] == first[:, :, :-1]).float().mean()
        often[patchy] = first.mean(0)
    assert together[0.0] == pytest.approx(0.5, abs=0.01)
    assert together[1.0] > 0.8
    assert (often[1.0] - 0.5).abs().max() < 0.2
