"""The flow: inverse, log-determinant, probabilities that sum to one, and the order of its layers."""

from __future__ import annotations

import itertools

import pytest
import torch

from dgm_models.contracts import Noise, last
from dgm_models.families.flow import Flow
from dgm_models.measurements import Hide
from dgm_models.networks.coupling import CoarseToFine
from dgm_models.probability import log_normal
from dgm_models.spaces import Pixels
from tests.conftest import toy_data

each_space = pytest.mark.parametrize("name", ["points", "pixels"])


def through(model: Flow, x: torch.Tensor, y: torch.Tensor, within: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """z, and the log-determinants of all layers added up."""
    steps = list(model.to_noise(x, y, within))
    return steps[-1][1], torch.stack([log_det for _, _, log_det in steps]).sum(0)


@each_space
def test_the_map_and_its_inverse_undo_each_other(toys, name):
    model, _ = toys.get("flow", name)
    x, y = toy_data(model.space)
    x, y = x[:50], y[:50]
    assert (model.decode(model.encode(x, y), y) - x).abs().max() < 1e-4
    z = torch.randn(50, model.space.size, generator=torch.Generator().manual_seed(0))
    *_, (_, levels, within) = model.from_noise(z, y)
    placed = model.space.from_levels(levels, model.levels, within).float().view(-1, *model.space.shape)
    again, _ = through(model, placed, y, within.clamp(1e-9, 1 - 1e-9))
    assert (again - z).abs().max() < 1e-4


@each_space
def test_the_log_determinant_is_that_of_the_jacobian(toys, name):
    """By autograd, with respect to the dequantized place of every element on [0, 1)."""
    model, _ = toys.get("flow", name)
    x, y = toy_data(model.space)
    size = model.space.size
    generator = torch.Generator().manual_seed(0)
    for i in range(3):
        within = torch.rand(1, size, generator=generator, dtype=torch.float64) * 0.98 + 0.01
        jacobian = torch.autograd.functional.jacobian(lambda w, i=i: through(model, x[i : i + 1], y[i : i + 1], w)[0][0], within)
        expected = torch.linalg.slogdet(jacobian[:, 0] * model.levels)[1]
        assert through(model, x[i : i + 1], y[i : i + 1], within)[1].item() == pytest.approx(expected.item(), abs=1e-4)


@each_space
def test_log_prob_is_that_of_the_noise_and_the_log_determinant(toys, name):
    """Change of variables, wherever in its bin an element lies: uniform dequantization loses nothing here."""
    model, _ = toys.get("flow", name)
    x, y = toy_data(model.space)
    x, y = x[:20], y[:20]
    for place in (0.1, 0.9):
        z, log_det = through(model, x, y, torch.full((20, model.space.size), place, dtype=torch.float64))
        density = log_normal(z).sum(1) + log_det  # on [0, 1), where a level is 1 / levels wide
        mass = density - model.space.size * torch.log(torch.tensor(float(model.levels)))
        assert torch.allclose(mass.float(), model.log_prob(x, y) + model.space.log_width(model.levels), atol=1e-3)


def test_all_binary_pictures_of_two_by_two_sum_to_one():
    torch.manual_seed(0)
    space = Pixels(1, 2)
    model = Flow(CoarseToFine(2, levels=2, classes=2, widths=(16,), depths=(1,), first=1), space, classes=2).eval()
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4))).view(16, 1, 2, 2)
    for label in (0, 1, -1):
        assert model.log_prob(every, torch.full((16,), label)).exp().sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("side", "first"), [(4, 1), (4, 2), (7, 2), (28, 2)])
def test_layers_make_every_pixel_once_and_look_only_at_those_made_before(side, first):
    torch.manual_seed(0)
    network = CoarseToFine(side, classes=2, widths=(16,), depths=(1,), first=first)
    assert sorted(torch.cat(network.parts).tolist()) == list(range(side**2))
    levels, y = torch.randint(0, 256, (1, 1, side, side)), torch.tensor([1])
    made = torch.zeros(side**2, dtype=torch.bool)
    for layer, part in enumerate(network.parts):
        later = torch.where(made.view(1, 1, side, side), levels, torch.randint(0, 256, levels.shape))
        before, after = network(levels, y, layer), network(later, y, layer)
        assert before.shape == (1, len(part), 256)
        assert torch.allclose(before, after, atol=1e-6)
        made[part] = True


def test_temperature_narrows_the_samples(toys):
    model, _ = toys.get("flow", "points")
    spread = lambda t: model.sample(Noise(range(200)), None, model.Settings(temperature=t)).std(0).mean()  # noqa: E731
    assert spread(0.0) < 1e-6
    assert spread(0.3) < 0.8 * spread(1.0)


def test_the_loss_is_the_negative_log_likelihood_and_the_recogniser_has_one_of_its_own():
    torch.manual_seed(0)
    space = Pixels(1, 4)
    x, y = toy_data(space)
    for width in (0, 8):
        network = CoarseToFine(4, levels=256, classes=2, widths=(16,), depths=(1,), first=1, recogniser=width)
        model = Flow(network, space, classes=2, drop=0.0)
        expected = -model.log_prob(x[:20], y[:20]).mean() / 16
        assert (model.loss(x[:20], y[:20]) - model._confusion(x[:20], y[:20])).item() == pytest.approx(expected.item(), abs=0.02)
        assert (model._confusion(x[:20], y[:20]) != 0) == bool(width)
        assert model._confusion(x[:20], torch.full((20,), 2)) == 0  # without labels it learns nothing


def test_labels_are_drawn_as_often_as_the_recogniser_says(toys):
    """Of a bright row (class 0) seen in its left half, and of a picture that is not seen at all; a given label stays."""
    model, _ = toys.get("flow", "pixels")
    x, y = toy_data(model.space)
    nothing, n = torch.zeros(1, 1, 4, 4, dtype=torch.bool), 2000
    for given in (nothing, torch.tensor([[[[True, True, False, False]] * 4]])):
        seen = (x[y == 0][:1] * given).expand(n, -1, -1, -1)
        share = model.network.recogniser(model.space.to_signal(seen[:1]), given).softmax(1)[0, 0].item()
        assert 0.02 < share < 0.98
        drawn = model._draw_labels(torch.full((n,), 2), seen, given.expand(n, -1, -1, -1), Noise(range(n)))
        assert (drawn == 0).float().mean().item() == pytest.approx(share, abs=0.04)
    assert model._draw_labels(torch.ones(n, dtype=torch.long), seen, given.expand(n, -1, -1, -1), Noise(range(n))).min() == 1


def test_many_particles_draw_what_the_seen_pixels_call_for():
    """On a flow of binary 4 x 4 pictures, two pixels hidden: the share of each answer is its exact posterior probability."""
    torch.manual_seed(3)
    space = Pixels(1, 4)
    model = Flow(CoarseToFine(4, levels=2, widths=(16,), depths=(1,), first=1), space).eval()
    for p in model.parameters():
        p.data += 0.3 * torch.randn(p.shape)
    seen = torch.randint(0, 2, (1, 1, 4, 4), generator=torch.Generator().manual_seed(1)).float()
    mask = torch.ones(1, 4, 4, dtype=torch.bool)
    mask[0, 0, 0] = mask[0, 1, 2] = False  # the first of them is what the first layer draws
    fitting = seen.expand(4, -1, -1, -1).clone()
    fitting[:, 0, 0, 0], fitting[:, 0, 1, 2] = torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([0.0, 1.0, 0.0, 1.0])
    wanted = model.log_prob(fitting).softmax(0)[2:].sum().item()
    n = 600
    seen = Hide(mask)(seen).expand(n, -1, -1, -1)
    answer = last(model.restore(seen, Hide(mask), Noise(range(n)), None, model.Restoring(particles=32))).x
    assert 0.05 < wanted < 0.95
    assert answer[:, 0, 0, 0].mean().item() == pytest.approx(wanted, abs=0.06)
