"""The generative stochastic network: its chain rests in the data whose posterior it draws from, and its walks remember their start."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from dgm_models import catalog
from dgm_models.applications.mixing import labels_along, sweeps_between_changes
from dgm_models.contracts import Noise
from dgm_models.families.gsn import ANNEALED, CHAIN, GSN, ONCE
from tests.conftest import PLANE, TINY, build, toy_data

MEAN, STD = torch.tensor([1.0, -0.5]), torch.tensor([0.4, 0.8])


class Exact(nn.Module):
    """P(x | x~) of independent normal coordinates, in closed form: (n, 2) -> mean and log std, (n, 4)."""

    def forward(self, noisy: Tensor, t: Tensor, y: Tensor) -> Tensor:
        t = t[:, None]
        precision = STD**-2 + (t / (1 - t)) ** 2
        mean = (MEAN / STD**2 + t * noisy / (1 - t) ** 2) / precision
        return torch.cat([mean, (-0.5 * precision.log()).expand_as(mean)], dim=1)


@pytest.mark.parametrize("level", [0.3, 0.6, 0.9])
def test_with_the_exact_posterior_the_chain_comes_to_rest_in_the_data_at_any_level_of_noise(level):
    model = GSN(Exact(), PLANE)
    settings = model.Settings(sweeps=200 if level < 0.5 else 60, level=level)
    drawn = model.sample(Noise(range(4000)), None, settings)
    assert drawn.mean(0).tolist() == pytest.approx(MEAN.tolist(), abs=0.05)
    assert drawn.std(0).tolist() == pytest.approx(STD.tolist(), abs=0.05)


@pytest.mark.parametrize("space", [PLANE, TINY])
def test_walks_are_still_asked_for_the_data_that_they_set_out_from(space):
    model = build("gsn", space)
    (x, y), count = toy_data(space), 64
    model.loss(x[:count], y[:count])
    walks = model.walkers
    assert len(walks.x) == count  # half of the rows to come
    for row, label in zip(walks.x, walks.y, strict=True):
        where = (x[:count] == row).flatten(1).all(1).nonzero()[:, 0]
        assert len(where) > 0
        assert int(label) in {2, *y[where].tolist()}  # its own, or dropped
    model.loss(x[count : 2 * count], y[count : 2 * count])
    known = torch.cat([x[: 2 * count]]).flatten(1)
    assert all((known == row.flatten()).all(1).any() for row in model.walkers.x)


@pytest.mark.parametrize("sampler", [CHAIN, ANNEALED, ONCE])
def test_one_denoiser_runs_in_three_ways(toys, sampler):
    model, _ = toys.get("gsn", "pixels")
    y = torch.arange(200) % 2
    x = model.sample(Noise(range(200)), y, model.Settings(sampler=sampler, sweeps=20))
    model.space.check(x)
    spread = x[y == 0].std(0).mean()
    assert (spread < 0.15) == (sampler == ONCE)  # once: one mean for all; else rows at different heights


def test_counting_sweeps_between_changes():
    labels = torch.tensor([[1, 4], [1, 5], [2, 5], [2, 5], [2, 5]])
    assert sweeps_between_changes(labels) == 4  # 2 chains, 4 sweeps, 2 changes
    assert sweeps_between_changes(labels[2:]) == float("inf")


def test_with_more_noise_digits_change_sooner():
    model = catalog.load("gsn-mnist")
    frames = {
        level: list(model.trace(Noise(range(8)), torch.full((8,), -1), model.Settings(sweeps=40, level=level)))[10:] for level in (0.3, 0.8)
    }
    changing = {level: sweeps_between_changes(labels_along(film)) for level, film in frames.items()}
    assert changing[0.8] < changing[0.3]
