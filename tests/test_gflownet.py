"""Generative flow networks: zero imbalance draws in proportion to the reward, and training comes near, on a grid where all is known."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from dgm_models.applications.grid import PRESETS, GridSettings, followed, fresh, learn, preset, shaped
from dgm_models.families.grid_gflownet import (
    DOWN,
    RIGHT,
    STOP,
    GridPolicy,
    cell_chances,
    four_modes,
    imbalance,
    log_backward,
    total_variation,
    train_grid,
    ways,
)
from dgm_models.networks.nade import NADE


def balanced(reward: torch.Tensor) -> torch.Tensor:
    """The policy, (side * side, 3), whose flow is the reward carried back through even parents: no training, only sums."""
    side = len(reward)
    through = reward.double().clone()
    back = log_backward(side).double().exp().view(side, side)
    for row in reversed(range(side)):
        for column in reversed(range(side)):
            if row + 1 < side:
                through[row, column] += through[row + 1, column] * back[row + 1, column]
            if column + 1 < side:
                through[row, column] += through[row, column + 1] * back[row, column + 1]
    chance = torch.zeros(side, side, 3, dtype=torch.float64)
    chance[:-1, :, DOWN] = through[1:] * back[1:] / through[:-1]
    chance[:, :-1, RIGHT] = through[:, 1:] * back[:, 1:] / through[:, :-1]
    chance[..., STOP] = reward / through
    return chance.view(-1, 3).log()


def test_with_zero_imbalance_cells_are_drawn_in_proportion_to_their_reward():
    reward = torch.rand(8, 8, generator=torch.Generator().manual_seed(0)) + 0.05
    log_forward = balanced(reward)
    assert torch.allclose(log_forward.exp().sum(1), torch.ones(64, dtype=torch.float64), atol=1e-6)
    policy = GridPolicy(8, torch.Generator())
    policy.log_z.data = reward.sum().log()
    cells, actions = ways(log_forward.float(), 200, torch.Generator().manual_seed(1))
    off = imbalance(policy, log_forward.float(), cells, actions, reward.flatten().log())
    assert off.abs().max() < 1e-3
    assert total_variation(cell_chances(log_forward), reward) < 1e-6


def test_an_unbalanced_policy_is_told_so():
    policy, reward = GridPolicy(8, torch.Generator()), torch.ones(8, 8)
    cells, actions = ways(policy().detach(), 200, torch.Generator().manual_seed(1))
    assert imbalance(policy, policy(), cells, actions, reward.flatten().log()).square().mean() > 1
    assert total_variation(cell_chances(policy().detach()), reward) > 0.3


def test_ways_stay_on_the_grid_stop_once_and_end_as_often_as_their_chances_say():
    policy = GridPolicy(6, torch.Generator().manual_seed(0))
    for p in policy.body.parameters():
        p.data *= 2
    log_forward = policy().detach()
    cells, actions = ways(log_forward, 20_000, torch.Generator().manual_seed(0))
    assert ((actions == STOP).sum(1) == 1).all()
    ends = torch.bincount(cells[:, -1], minlength=36) / 20_000
    assert (ends - cell_chances(log_forward).flatten()).abs().max() < 0.015
    assert cell_chances(log_forward).sum().item() == pytest.approx(1, abs=1e-6)
    steps = (cells[:, 1:] - cells[:, :-1]).unique().tolist()
    assert set(steps) <= {0, 1, 6}
    moved_right = (cells[:, 1:] - cells[:, :-1]) == 1
    assert (cells[:, :-1][moved_right] % 6 < 5).all()


def test_training_finds_four_modes_and_their_sum():
    """The bar: total variation of at most 0.05 on 32 x 32 cells, log Z within 0.05."""
    policy, reward = GridPolicy(32, torch.Generator().manual_seed(0)), four_modes(32)
    *_, end = train_grid(policy, reward, torch.Generator().manual_seed(0), steps=1500, reports=2)
    assert total_variation(end.chances, reward) <= 0.05
    assert abs(end.log_z - math.log(reward.sum())) <= 0.05


def test_a_far_mode_is_lost_without_exploration_and_found_with_it():
    """What the page says of the preset, from the seed that it starts with."""
    reward, far = shaped(preset("one far away")), {}
    for explore in (0.0, 0.1):
        *_, end = learn(fresh(7), reward, 7, GridSettings(explore=explore, steps=500))
        far[explore] = end.chances[18:, 18:].sum()
        off = total_variation(end.chances, reward)
    assert far[0.0] < 0.01
    assert far[0.1] == pytest.approx(float(reward[18:, 18:].sum() / reward.sum()), abs=0.05)
    assert off < 0.1


def test_who_explores_goes_on_to_the_edge():
    """With nothing but chance: every way ends in the last cell, for chance never stops before."""
    cells, actions = ways(GridPolicy(6, torch.Generator())().detach(), 500, torch.Generator().manual_seed(0), explore=1.0)
    assert (cells[:, -1] == 35).all()
    assert ((actions == STOP).sum(1) == 1).all()


def test_rewards_that_are_none_are_refused():
    for bad in (torch.zeros(8, 8), torch.ones(8, 7), torch.full((8, 8), math.nan)):
        with pytest.raises(ValueError, match="expected positive rewards of shape"):
            next(train_grid(GridPolicy(8, torch.Generator()), bad, torch.Generator(), steps=1))


def test_the_same_seed_learns_the_same_and_leaves_chance_alone():
    settings = GridSettings(steps=50)
    reward = shaped(preset("ring"))
    ends, states = [], []
    for start in (1, 2):
        torch.manual_seed(start)
        policy = fresh(5)
        *_, end = learn(policy, reward, 5, settings)
        ends.append(end)
        states.append(followed(policy, 5))
    assert torch.equal(ends[0].chances, ends[1].chances)
    assert torch.equal(states[0], states[1])
    assert states[0][0, :, 0, 0].min() == 1  # all begin in the corner


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_rewards(name):
    reward = shaped(preset(name))
    assert reward.shape == (28, 28)
    assert reward.min() > 0
    assert preset(name).max() <= 1
    with pytest.raises(ValueError, match="Reward: expected one of"):
        preset("nothing")


def all_bits(units: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)))


def test_chances_of_all_pictures_add_up_to_one_and_look_only_back():
    torch.manual_seed(0)
    network = NADE(9, 7, classes=2)
    for p in network.parameters():
        p.data += torch.randn_like(p)
    v, y = all_bits(9), torch.ones(512, dtype=torch.long)
    logits = network(v, y)
    chances = torch.where(v > 0, logits.sigmoid(), 1 - logits.sigmoid()).prod(1)
    assert float(chances.sum().detach()) == pytest.approx(1, abs=1e-4)
    heard = network.begin(y)
    for unit in range(9):  # one by one, as a draw goes, and all at once, as learning does
        assert torch.allclose(network.told(heard, unit), logits[:, unit], atol=1e-4)
        heard = network.hear(heard, unit, v[:, unit])
    changed = network(torch.cat([v[:1, :4], 1 - v[:1, 4:]], dim=1), y[:1])
    assert torch.allclose(changed[:, :5], logits[:1, :5], atol=1e-5)
    assert not torch.allclose(changed[:, 5:], logits[:1, 5:], atol=1e-3)


def test_the_trained_network_draws_in_proportion_to_its_reward_and_knows_its_sum(toys):
    model, _ = toys.get("gflownet", "pixels")
    v = all_bits(16)
    for label in (0, 1):
        y = torch.full((len(v),), label)
        with torch.no_grad():
            policy, reward = model.log_policy(v, y).double(), model.log_reward(v, y).double()
        in_truth = float(reward.logsumexp(0))
        assert float(model.log_z[label]) == pytest.approx(in_truth, abs=0.1)
        assert float(0.5 * (policy.exp() - (reward - in_truth).exp()).abs().sum()) < 0.2


def test_the_way_to_a_picture_is_the_one_that_a_draw_goes(toys):
    model, _ = toys.get("gflownet", "pixels")
    y, chance = torch.tensor([0, 1, 0]), torch.rand(3, 16, generator=torch.Generator().manual_seed(0))
    steps = list(model.steps(y, chance, every=4))
    assert len(steps) == 5
    for count, v in enumerate(steps):
        assert torch.equal(v[:, : 4 * count], steps[-1][:, : 4 * count])
        assert not v[:, 4 * count :].any()
