"""Gradient flows: each lowers its divergence, all reach the data, and the critic is never steeper than it may be."""

from __future__ import annotations

import pytest
import torch

from dgm_models.applications import few
from dgm_models.applications.particles import METHODS, FlowSettings, race
from dgm_models.data import mnist, points
from dgm_models.families.gradient_flow import Critic, discrepancy, flow, kernel_score, lipschitz, sliced, stein
from dgm_models.networks.transport import SlicedTransport
from dgm_models.probability import energy_distance

DATA, _ = points.moons(300, seed=1)


def start(n: int = 200) -> torch.Tensor:
    return 0.3 * torch.randn(n, 2, generator=torch.Generator().manual_seed(0))


def test_the_score_is_the_slope_of_the_log_density():
    x = start(20).requires_grad_()
    log_density = (-torch.cdist(x, DATA).square() / (2 * 0.3**2)).logsumexp(1)
    (slope,) = torch.autograd.grad(log_density.sum(), x)
    assert torch.allclose(slope, kernel_score(DATA, 0.3)(x), atol=1e-3)


def test_the_discrepancy_falls_at_every_step():
    """A small step down its gradient lowers a divergence: the one law of all these flows, exact for this one."""
    far = [energy_distance(x, DATA) for x in flow(start(), discrepancy(DATA), 0.05, 60)]
    assert all(after < before + 1e-6 for before, after in zip(far, far[1:], strict=False))
    assert far[-1] < 0.1 * far[0]


def test_its_velocity_is_the_gradient_of_half_the_energy_distance():
    x = start(30).requires_grad_()
    apart = lambda a, b: (a[:, None] - b[None]).square().sum(2).clamp_min(1e-12).sqrt()  # noqa: E731
    distance = 2 * apart(x, DATA).mean() - apart(x, x).mean()
    (slope,) = torch.autograd.grad(distance, x)
    assert torch.allclose(discrepancy(DATA)(x.detach()), -slope * len(x) / 2, atol=1e-3)


def test_stein_of_one_particle_climbs_to_a_mode():
    score = kernel_score(torch.tensor([[1.0, 0.5]]), 0.5)
    *_, end = flow(torch.zeros(1, 2), stein(score), 0.05, 200)
    assert torch.allclose(end, torch.tensor([[1.0, 0.5]]), atol=0.02)


def test_slices_of_a_shifted_set_shift_it_back():
    x = DATA[:300] + torch.tensor([0.7, -0.2])
    move = sliced(DATA, 400, torch.Generator().manual_seed(0))(x)
    assert torch.allclose(move.mean(0), torch.tensor([-0.7, 0.2]), atol=0.1)


def test_the_critic_is_no_steeper_than_it_may_be():
    critic = Critic(2, torch.Generator().manual_seed(0), steepest=2.0)
    velocity = lipschitz(DATA, critic, lessons=50)
    velocity(start())
    x = (3 * torch.randn(500, 2, generator=torch.Generator().manual_seed(2))).requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x)
    assert slope.norm(dim=1).max() <= 2.0 * (1 + 1e-5)
    assert slope.norm(dim=1).max() > 0.2


@pytest.mark.parametrize("name", ["langevin", "stein", "discrepancy", "sliced", "lipschitz"])
def test_every_flow_reaches_the_data(name):
    generator = torch.Generator().manual_seed(0)
    score = kernel_score(DATA, 0.15)
    velocity, step_size, noise = {
        "langevin": (score, 0.005, lambda x: torch.randn(x.shape, generator=generator)),
        "stein": (stein(score), 0.1, None),
        "discrepancy": (discrepancy(DATA), 0.2, None),
        "sliced": (sliced(DATA, 30, generator), 0.2, None),
        "lipschitz": (lipschitz(DATA, Critic(2, generator)), 0.1, None),
    }[name]
    *_, end = flow(start(), velocity, step_size, 200, noise)
    near = energy_distance(end, DATA)
    assert near < 0.25 * energy_distance(start(), DATA), near


def test_the_race_is_a_function_of_its_seed_and_settings():
    settings = FlowSettings(steps=10, particles=20)
    torch.manual_seed(1)
    _, runs = race(3, settings)
    torch.manual_seed(2)
    _, again = race(3, settings)
    _, other = race(4, settings)
    assert [run.name for run in runs] == list(METHODS)
    for run, same, different in zip(runs, again, other, strict=True):
        assert torch.equal(run.path, same.path), run.name
        assert not torch.equal(run.path, different.path)
        assert run.path.shape == (11, 20, 2)
    with pytest.raises(ValueError, match="Data: expected one of two moons, ring of eight"):
        FlowSettings(target="spiral")
    with pytest.raises(ValueError, match="Steps: expected"):
        FlowSettings(steps=1000)


def test_a_kept_flow_carries_new_particles_to_the_data_of_their_label():
    generator = torch.Generator().manual_seed(0)
    mix = torch.tensor([[1.0, 0.8, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 2.0]])
    data = torch.cat([torch.randn(3000, 3, generator=generator) @ mix + 2, 2 * torch.rand(3000, 3, generator=generator) - 3])
    labels = torch.arange(2).repeat_interleave(3000)
    transport = SlicedTransport(3, steps=25, knots=32, classes=2)
    transport.learn(data, labels, generator)
    fresh = torch.randn(6000, 3, generator=torch.Generator().manual_seed(1))
    began = energy_distance(fresh[:1000], data[:1000])
    for k in range(transport.count):
        fresh = transport.step(k, fresh, labels)
    for label in (0, 1):
        mine, theirs = fresh[labels == label], data[labels == label]
        assert torch.allclose(mine.mean(0), theirs.mean(0), atol=0.1)
        assert energy_distance(mine[:1000], theirs[:1000]) < 0.02 * began
    with pytest.raises(ValueError, match="expected data of every label, got none of 1"):
        transport.learn(data[:10], labels[:10], generator)


def test_of_few_digits_the_components_keep_nearly_all():
    x, labels = mnist.few()
    assert torch.equal(labels.bincount(), torch.full((10,), 20))
    about = few.components()
    assert torch.allclose(about.axes @ about.axes.T, torch.eye(few.KEPT), atol=1e-4)
    back = about.picture(about.places)
    assert (back - mnist.pixels(x)).square().mean() < 0.1 * mnist.pixels(x).flatten(1).var(0).mean()
    copies, far = few.nearest(mnist.pixels(x[5:9]))
    assert torch.equal(copies, mnist.pixels(x[5:9]))
    assert far.max() < 0.05


def test_particles_come_nearer_to_the_few_digits():
    settings = few.FewSettings(steps=60)
    path = list(few.move(50, 3, settings))
    places = few.components().places
    assert energy_distance(path[-1], places) < 0.9 * energy_distance(path[0], places)
    assert torch.equal(list(few.move(50, 3, few.FewSettings(steps=20)))[20], path[20])
    for before, after in zip(path, path[1:], strict=False):
        assert (after - before).norm(dim=1).max() <= settings.step_size * settings.steepest * (1 + 1e-4)
