"""The GAN: who teaches whom, what the penalties measure, and codes that are found again."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Noise, last
from dgm_models.families.gan import GAN
from dgm_models.measurements import Hide
from dgm_models.probability import truncated_normal
from dgm_models.training.loop import train
from tests.conftest import PLANE, TINY, build, toy_data


class Linear(nn.Module):
    """A critic whose gradient is known."""

    def __init__(self, slope: torch.Tensor) -> None:
        super().__init__()
        self.slope = nn.Parameter(slope)

    def forward(self, x, y):
        return x @ self.slope


def test_each_player_is_taught_by_its_own_loss_alone():
    """Where the other's loss is constant, a player stays as it is, in the loop as well."""
    x, y = toy_data(TINY)
    for silent in ("critic", "generator"):
        model = build("gan", TINY)
        spoken = model.loss
        model.loss = lambda x, y, player, model=model, silent=silent, spoken=spoken: (
            spoken(x, y, player) if player != silent else 0 * sum(p.sum() for p in model.players()[silent].parameters())
        )
        before = deepcopy(model.state_dict())
        for _ in train(model, x, y, steps=3, batch=16, rate=1e-2, ema=0.0, momentum=0.0):
            pass
        for name, after in model.state_dict().items():
            if name.startswith(f"network.{silent}"):
                assert torch.allclose(after, before[name], rtol=1e-3, atol=1e-6), name  # but for weight decay
        assert any(not torch.allclose(after, before[name], atol=1e-3) for name, after in model.state_dict().items())
    with pytest.raises(ValueError, match="expected player 'critic' or 'generator'"):
        model.loss(x[:32], y[:32], "model")


def test_the_penalty_is_the_squared_gradient():
    """Of a critic that is linear in x it is half gamma times the squared norm of its slope, at real and at generated points."""
    players = nn.Module()
    players.critic, players.generator = Linear(torch.tensor([3.0, 4.0])), build("gan", PLANE).network.generator
    losses = []
    for gamma in (0.0, 0.2):
        torch.manual_seed(0)
        model = GAN(players, PLANE, latent=4, condition=Classes(2), gamma=gamma)
        losses.append(model.loss(*(each[:50] for each in toy_data(PLANE)), "critic").item())
    assert losses[1] - losses[0] == pytest.approx(0.2 / 2 * (25 + 25), rel=1e-4)


def test_the_penalty_falls_as_half_a_cosine_where_an_end_is_given():
    falling, steady = (GAN(nn.Module(), PLANE, latent=4, gamma=1.0, last_gamma=last) for last in (0.1, None))
    for share, weight in ((0, 1.0), (0.5, 0.55), (1, 0.1)):
        falling.age(share)
        steady.age(share)
        assert (falling.gamma, steady.gamma) == (pytest.approx(weight), pytest.approx(1.0))


def test_a_critic_that_is_taught_alone_tells_data_from_samples():
    """In the game it is the generator that ends this: of a game that is over, the critic is flat."""
    model = build("gan", TINY)
    x, y = toy_data(TINY)
    descent = torch.optim.Adam(model.network.critic.parameters(), 3e-3)
    for _ in range(40):
        descent.zero_grad()
        model.loss(x[:128], y[:128], "critic").backward()
        descent.step()
    made = model.sample(Noise(range(200)), y[:200])
    assert (model.score(x[:200], y[:200]) > model.score(made, y[:200])).float().mean() > 0.95


def test_a_code_is_found_that_generates_nearly_the_same(toys):
    model, _ = toys.get("gan", "pixels")
    y = torch.arange(32) % 2
    x = model.sample(Noise(range(32)), y)
    again = model.decode(model.encode(x, y), y)
    others = model.sample(Noise(range(100, 420)), y.repeat(10)).view(10, 32, -1)  # what is found without a search: the best of 10
    unsought = (others - x.flatten(1)).abs().mean(2).amin(0)
    assert (again - x).abs().flatten(1).mean(1).median() < 0.8 * unsought.median()
    assert (again - x).abs().flatten(1).mean(1).median() < 0.1 * (others - x.flatten(1)).abs().mean()
    assert torch.allclose(model.encode(x, y)[2:3], model.encode(x[2:3], y[2:3]), atol=1e-3)


def test_temperature_and_truncation_narrow_the_codes(toys):
    model, _ = toys.get("gan", "points")
    spread = lambda **knobs: model.sample(Noise(range(200)), None, model.Settings(**knobs)).std(0).mean()  # noqa: E731
    assert spread(temperature=0.0) < 1e-6
    assert spread(temperature=0.3) < 0.8 * spread()
    assert spread(truncation=0.2) < 0.8 * spread()


def test_truncated_normal_numbers_are_what_their_name_says():
    u = (torch.arange(10_000) + 0.5) / 10_000
    wide, narrow = truncated_normal(u, 4.0), truncated_normal(u, 1.0)
    assert wide.std().item() == pytest.approx(1, abs=0.01)
    assert narrow.abs().max() <= 1
    normal = torch.distributions.Normal(0.0, 1.0)
    # within the bounds it is the normal distribution, conditioned on them
    share = (normal.cdf(torch.tensor(0.5)) - normal.cdf(torch.tensor(-1.0))) / (1 - 2 * normal.cdf(torch.tensor(-1.0)))
    assert (narrow < 0.5).float().mean().item() == pytest.approx(share.item(), abs=1e-3)


def test_without_a_label_that_one_is_found_under_which_what_is_seen_can_be_generated(toys):
    """Rows come from label 0, columns from label 1: under the other label, none of either can be told."""
    model, _ = toys.get("gan", "pixels")
    y = torch.arange(40) % 2
    x, left = model.sample(Noise(range(40)), y), Hide((torch.arange(4) < 3).expand(1, 4, 4))
    misses = {}
    for name, told in (("none", None), ("right", y), ("wrong", 1 - y)):
        answer = last(model.restore(left(x), left, Noise(range(100, 140)), told))
        assert torch.equal(left(answer.x), left(x))
        misses[name] = (left(answer.guess) - left(x)).abs().mean().item()
    assert misses["right"] < 0.5 * misses["wrong"]
    assert misses["none"] < 0.5 * misses["wrong"]


def test_guesses_are_made_once_for_the_same_weights():
    model = build("gan", TINY).eval()
    first = model._guesses(64, 1.0)
    assert model._guesses(64, 1.0) is first
    assert model._guesses(64, 0.5) is not first
    with torch.no_grad():
        model.network.generator.start.bias.add_(1.0)
    model.eval()
    assert not torch.equal(model._guesses(64, 1.0)[2], first[2])


def test_what_is_made_once_for_all_is_on_no_receipt(toys):
    """The codes that every search begins with are drawn by whoever asks first: one state has one receipt all the same."""
    from dgm_models import weights
    from dgm_models.applications.receipt import measured
    from dgm_models.catalog import Loaded

    model, _ = toys.get("gan", "pixels")
    x, y = toy_data(model.space)
    model._guessed.clear()
    spent = []
    for _ in range(2):
        with measured(Loaded(model, weights.Source("embedded", "0", 0), 1), "gan", 0, 1) as receipt:
            model.encode(x[:1], y[:1])
        spent.append(receipt.evaluations)
    assert spent[0] == spent[1] > 10
