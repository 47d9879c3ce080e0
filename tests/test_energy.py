"""The energy-based model: its slope, its chains, the constants of its labels."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from dgm_models.contracts import Noise, last
from dgm_models.families.energy import EnergyBased
from dgm_models.measurements import Hide
from dgm_models.spaces import Reals
from tests.conftest import TINY, toy_data


class Bowl(nn.Module):
    """Energy of N(0, spread^2) in all labels but for a constant each, in units of width^2."""

    def __init__(self, spread: float, width: float, offsets: tuple[float, ...] = (0.0, 0.0)) -> None:
        super().__init__()
        self.spread, self.width = spread, width
        self.offsets = nn.Parameter(torch.tensor([*offsets, 0.0]))

    def forward(self, x, y):
        return self.width**2 * (x.square().sum(1) / (2 * self.spread**2) + self.offsets[y])


def test_the_slope_is_the_gradient_of_the_energy(toys):
    model, _ = toys.get("energy", "pixels")
    x, y = toy_data(TINY)
    generator = torch.Generator().manual_seed(0)
    along = 1e-3 * torch.randn(x[:5].shape, generator=generator)
    inside = x[:5].clamp(0.01, 0.99)
    difference = model.energy(inside + along, y[:5]) - model.energy(inside - along, y[:5])
    slope, _ = model.slope(model.space.to_signal(inside), y[:5])
    expected = (2 * slope / model.width**2 * 2 * along).flatten(1).sum(1)  # the signal moves twice as far as x
    assert torch.allclose(difference, expected, rtol=0.05, atol=0.02)


def test_langevin_chains_draw_from_the_energy():
    model = EnergyBased(Bowl(0.5, 0.1), Reals((2,)), classes=2)
    *_, (x, _) = model.chain(torch.zeros(1500, 2), None, Noise(range(1500)), steps=100, step_size=2.0, temperature=1.0)
    assert x.std().item() == pytest.approx(0.5, abs=0.03)
    *_, (cold, energy) = model.chain(torch.ones(5, 2), None, Noise(range(5)), steps=200, step_size=2.0, temperature=0.0)
    assert cold.abs().max() < 0.1
    assert energy.max() < 0.05


def test_energy_falls_from_noise_to_samples(toys):
    model, _ = toys.get("energy", "pixels")
    y = torch.arange(20) % 2
    samples = model.sample(Noise(range(20)), y)
    noise = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert model.energy(samples, y).max() < model.energy(noise, y).min()


def test_the_constants_of_the_labels_are_found():
    """Label 1 has three nats more energy everywhere: as both labels come equally often, its constant makes up for it."""
    model = EnergyBased(Bowl(1.0, 0.1, (0.0, 3.0)), Reals((2,)), classes=2)
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(500, 2, generator=generator), torch.arange(500) % 2
    model.finish(x, y)
    assert (model.log_constant[0] - model.log_constant[1]).item() == pytest.approx(3, abs=0.01)
    both = torch.stack([model.log_prob(x, torch.full((500,), label)) for label in (0, 1)], dim=1)
    assert both.softmax(1).mean(0)[0].item() == pytest.approx(0.5, abs=0.01)


def test_labels_are_told_apart_by_their_energies_late_in_training():
    """With energies that differ by 3 nats everywhere the true label is missed by softplus(-3) or softplus(3); no label, no lesson."""
    model = EnergyBased(Bowl(1.0, 0.1, (0.0, 3.0)), Reals((2,)), classes=2, compare=1.0, compare_from=0.7)
    miss = lambda *y: model._confusion(torch.zeros(len(y), 2), torch.tensor(y)).item()  # noqa: E731
    gap = torch.tensor(3.0)
    assert miss(0, 0) == pytest.approx(softplus(-gap).item(), rel=1e-4)
    assert miss(1, 0) == pytest.approx((softplus(gap) + softplus(-gap)).item() / 2, rel=1e-4)
    assert miss(1, 2) == pytest.approx(softplus(gap).item(), rel=1e-4)
    assert miss(2, 2) == 0
    losses = {}
    for share in (0.0, 0.69, 0.71):
        torch.manual_seed(0)
        model.age(share)
        losses[share] = model.loss(torch.zeros(20, 2), torch.ones(20, dtype=torch.long)).item()
    assert losses[0.0] == losses[0.69] == pytest.approx(losses[0.71] - softplus(gap).item(), rel=1e-3)


def test_guidance_follows_the_label(toys):
    """With a scale of 0 the label is not heard; the model itself reads what it made."""
    model, _ = toys.get("energy", "pixels")
    asked = torch.arange(200) % 2
    read = {}
    for scale in (0.0, 1.0):
        made = model.sample(Noise(range(200)), asked, model.Settings(guidance_scale=scale))
        read[scale] = (model.log_prob(made, asked) > model.log_prob(made, 1 - asked)).float().mean()
    assert read[1.0] > 0.95
    assert read[0.0] < 0.75


def test_half_of_a_picture_calls_for_its_label(toys):
    """Half of a bright row, or what a bright column leaves of its rows, is seen: the answers read as what the picture was."""
    model, _ = toys.get("energy", "pixels")
    x, y = toy_data(TINY)
    x, y, away = x[:120], y[:120], Hide(torch.tensor([[[True, True, False, False]] * 4]))
    answer = last(model.restore(away(x), away, Noise(range(120)))).x
    assert (model.log_prob(answer, y) > model.log_prob(answer, 1 - y)).float().mean() > 0.8


def test_the_denoiser_is_a_step_down_from_the_picture_in_the_mixture():
    """Of N(0, spread^2) with the energy of clean data, it takes away the slope at x_t / t, or at the noisiest that was met."""
    model = EnergyBased(Bowl(0.5, 0.1), Reals((2,)), classes=2, most=4.0)
    denoise, x = model.denoiser(torch.zeros(3, dtype=torch.long)), torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(denoise(x, 0.5), (1 - 0.1**2 / 0.5**2) * x / 0.5)
    assert torch.allclose(denoise(x, 0.0), (1 - 0.1**2 / 0.5**2) * 5 * x)
