"""Translation without pairs: there and back again, and who learns what."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from dgm_models.families.cycle import Cycle, moved
from dgm_models.networks.ways import TwoWays
from dgm_models.spaces import Pixels
from dgm_models.training.step import Trainer

SPACE = Pixels(3, 8)


def kinds(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Dark pictures and light ones, in turn."""
    y = torch.arange(n) % 2
    return (0.15 * torch.rand(n, *SPACE.shape) + 0.2 + 0.5 * y.view(-1, 1, 1, 1)).clamp(0, 1), y


class Negative(nn.Module):
    def forward(self, x):
        return -x


def test_the_cycle_of_a_way_that_can_be_gone_back_is_exact():
    """The negative of a negative: no error there and back, and a picture that is turned is changed."""
    network = TwoWays(width=16, critic_width=16)
    network.ways = nn.ModuleList([Negative(), Negative()])
    model = Cycle(network, SPACE)
    x = torch.rand(4, *SPACE.shape)
    assert torch.allclose(model.translate(model.translate(x, 1), 0), x, atol=1e-6)
    assert torch.allclose(model.translate(x, 1), 1 - x, atol=1e-6)


def test_what_a_picture_carries_on_its_way_back_is_covered_by_grain():
    """Of a way back that is exact, the error is that of the noise: a mean of |n|, n of a standard deviation of 0.1, in both ways."""
    network = TwoWays(width=16, critic_width=16)
    network.ways = nn.ModuleList([Negative(), Negative()])
    x, y = kinds(64)
    plain, grainy = (Cycle(network, SPACE, back=10.0, grain=grain).loss(x, y, "generator").detach() for grain in (0.0, 0.1))
    assert float(grainy - plain) == pytest.approx(10 * 2 * 0.1 * (2 / math.pi) ** 0.5, rel=0.05)


def test_moved_pictures_are_crops_of_themselves_with_their_edges_drawn_out():
    torch.manual_seed(0)
    x = torch.arange(1.0, 5.0)[None, None, None].expand(64, 2, 4, 4) + 10 * torch.arange(4)[:, None]
    found = moved(x, 1)
    assert found.shape == x.shape
    rows = {tuple(row) for row in (found[:, 0, 0] % 10).tolist()}
    right = {(1.0, 2.0, 3.0, 4.0), (1.0, 1.0, 2.0, 3.0), (2.0, 3.0, 4.0, 4.0)}
    assert rows == right | {each[::-1] for each in right}
    assert {tuple(column) for column in (found[:, 1, :, 0] // 10).tolist()} == {(0, 1, 2, 3), (0, 0, 1, 2), (1, 2, 3, 3)}
    assert torch.equal(found[:, 0], found[:, 1])


def test_before_it_has_learned_it_changes_nothing():
    x = torch.rand(2, *SPACE.shape)
    model = Cycle(TwoWays(width=16, critic_width=16), SPACE).eval()
    assert torch.allclose(model.translate(x, 0), x, atol=1e-6)
    with pytest.raises(ValueError, match="the kind 0 or 1, got 2"):
        model.translate(x, 2)


def test_each_player_learns_its_own_part_and_one_kind_alone_teaches_nothing():
    model = Cycle(TwoWays(width=16, critic_width=16), SPACE)
    x, y = kinds(8)
    for name, part in model.players().items():
        model.zero_grad()
        model.loss(x, y, name).backward()
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
        assert model.loss(x[y == 0], y[y == 0], name).detach() == 0
    with pytest.raises(ValueError, match="player"):
        model.loss(x, y, "judge")


def test_dark_pictures_become_light_and_come_back():
    torch.manual_seed(0)
    x, y = kinds(256)
    model = Cycle(TwoWays(width=16, fine=1, coarse=1, critic_width=16), SPACE, back=2.0, same=0.0)
    trainer = Trainer(model, x, y, steps=80, batch=16, rate=4e-3, optimizer="adamw", momentum=0.0, ema=0.9, seed=0)
    while trainer.done < trainer.steps:
        trainer.step()
    model.load_state_dict(trainer.average.state_dict())
    dark = x[y == 0]
    light = model.eval().translate(dark, 1)
    assert light.mean() > dark.mean() + 0.3
    assert (model.translate(light, 0) - dark).abs().mean() < 0.1
