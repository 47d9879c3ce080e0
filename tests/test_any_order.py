"""Any-order laws, with a network that answers in closed form: whatever the order, the joint distribution comes out."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from dgm_models.contracts import Noise, last
from dgm_models.families import any_order
from dgm_models.families.any_order import AnyOrder
from dgm_models.guidance import weigh_levels
from dgm_models.measurements import Hide, Shrink
from dgm_models.spaces import Pixels

PICTURES = torch.tensor(list(itertools.product([0, 1], repeat=4)))  # the 16 binary pictures of 2 x 2
INDEX = torch.tensor([8, 4, 2, 1])


class Enumerated(nn.Module):
    """The exact conditionals of a joint distribution over the 16 pictures, by summing it up; with another joint for each label."""

    levels = 2

    def __init__(self, labels: int = 1) -> None:
        super().__init__()
        self.joints = (2 * torch.randn(labels, 16, generator=torch.Generator().manual_seed(0))).softmax(1)
        self.joint = self.joints[0]

    def forward(self, levels: Tensor, seen: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        flat, known = levels.flatten(1), seen.flatten(1)
        fits = ((PICTURES[None] == flat[:, None]) | ~known[:, None]).all(2).float() * self.joints[y]  # (n, 16)
        mass = torch.stack([fits @ (level == PICTURES).float() for level in (0, 1)], dim=2)
        logits = (mass / mass.sum(2, keepdim=True)).clamp_min(1e-12).log()
        return logits if at is None else logits.gather(1, at[..., None].expand(-1, -1, 2))


@pytest.fixture
def exact() -> AnyOrder:
    return AnyOrder(Enumerated(), Pixels(1, 2))


def shares(x: Tensor) -> Tensor:
    return torch.bincount(x.flatten(1).round().long() @ INDEX, minlength=16) / len(x)


def test_one_pixel_a_step_draws_from_the_joint_and_all_at_once_does_not(exact):
    slow = exact.sample(Noise(range(4000)), settings=exact.Settings(steps=4))
    fast = exact.sample(Noise(range(4000)), settings=exact.Settings(steps=1))
    assert torch.allclose(shares(slow), exact.network.joint, atol=0.03)
    assert (shares(fast) - exact.network.joint).abs().max() > 0.05


def test_where_all_orders_agree_the_bound_is_the_log_probability(exact):
    x = PICTURES.float().view(16, 1, 2, 2)
    off = exact.log_prob(x, k=784) - exact.network.joint.log()  # 784 orders, by chance
    assert off.abs().max() < 0.4
    assert off.abs().mean() < 0.1


@pytest.mark.parametrize("mask", [[1, 0, 0, 1], [0, 0, 1, 0]])
def test_hidden_pixels_come_from_the_posterior(exact, mask):
    seen_at = torch.tensor(mask).bool()
    truth = torch.tensor([1, 0, 1, 0])
    away = Hide(seen_at.view(1, 2, 2))
    seen = away(truth.float().view(1, 1, 2, 2).expand(4000, -1, -1, -1))
    answer = last(exact.restore(seen, away, Noise(range(4000)), settings=exact.Restoring(steps=4))).x
    posterior = exact.network.joint * ((truth == PICTURES) | ~seen_at).all(1)
    assert torch.allclose(shares(answer), posterior / posterior.sum(), atol=0.03)


@pytest.mark.parametrize("steps", [0, 30])
def test_without_a_label_one_is_drawn_as_often_as_what_is_seen_calls_for_it(steps):
    """And is held: what the network says without a label is another thing here, which comes out where none is inferred."""
    model = AnyOrder(Enumerated(4), Pixels(1, 2), classes=3)
    seen_at, truth = torch.tensor([True, True, False, True]), PICTURES[13]
    away = Hide(seen_at.view(1, 2, 2))
    seen = away(truth.float().view(1, 1, 2, 2).expand(4000, -1, -1, -1))
    answer = last(model.restore(seen, away, Noise(range(4000)), settings=model.Restoring(steps=4, label_steps=steps))).x
    posteriors = model.network.joints * ((truth == PICTURES) | ~seen_at).all(1)
    fair, other = posteriors[:3].sum(0) / posteriors[:3].sum(), posteriors[3] / posteriors[3].sum()
    assert (fair - other).abs().max() > 0.15
    assert torch.allclose(shares(answer), fair if steps else other, atol=0.05)


@pytest.mark.parametrize("shown", [False, True], ids=["nothing", "everything"])
def test_where_nothing_or_everything_is_seen_a_label_is_inferred_all_the_same(shown):
    model, away = AnyOrder(Enumerated(4), Pixels(1, 2), classes=3), Hide(torch.full((1, 2, 2), shown))
    x = PICTURES[[13] * 3000].float().view(-1, 1, 2, 2)
    answer = last(model.restore(away(x), away, Noise(range(3000)), settings=model.Restoring(steps=4))).x
    assert torch.equal(answer, x) if shown else torch.allclose(shares(answer), model.network.joints[:3].mean(0), atol=0.03)


def test_a_block_average_of_one_hidden_pixel_settles_it():
    """Three pixels known, their average seen: the fourth has one level left, whatever the network thinks of it."""
    values, levels = torch.arange(256) / 255, torch.tensor([[200, 10, 0, 31]])
    known = torch.tensor([[True, True, False, True]])
    whole = torch.tensor([[200, 10, 77, 31]]).view(1, 1, 2, 2) / 255
    logits = torch.randn(1, 4, 256, generator=torch.Generator().manual_seed(0))
    weighed = weigh_levels(logits, values, levels, known, (1, 2, 2), Shrink(2)(whole), Shrink(2))
    assert weighed[0, 2].argmax() == 77
    assert weighed[0, 2].softmax(0)[77] > 0.9


@pytest.mark.parametrize("known", [[False] * 4, [False, True, False, False]])
def test_of_pixels_that_are_jointly_normal_an_average_leaves_the_conditional(known):
    """Equal correlation r: E[v | mean] = m + cov / var (mean - mean of m), Var = s^2 - cov^2 / var, in closed form."""
    values, r, known = torch.arange(256) / 255, 0.6, torch.tensor([known])
    mean, deviation = torch.tensor([0.4, 127 / 255, 0.55, 0.6]), torch.tensor([0.05, 0.08, 0.06, 0.07])
    logits = (-0.5 * ((values - mean[:, None]) / deviation[:, None]).square())[None]
    deviation = torch.where(known[0], 0.0, deviation)
    covariance = deviation[:, None] * deviation * (r + (1 - r) * torch.eye(4))
    with_mean, of_mean, seen = covariance.mean(1), covariance.mean(), (mean.mean() + 0.04).view(1, 1, 1, 1)
    weighed = weigh_levels(logits, values, torch.full((1, 4), 127), known, (1, 2, 2), seen, Shrink(2), together=r).softmax(2)[0]
    found = weighed @ values
    spread = (weighed @ values.square() - found.square()).sqrt()
    hidden = ~known[0]
    assert torch.allclose(found[hidden], (mean + with_mean / of_mean * 0.04)[hidden], atol=1e-3)
    assert torch.allclose(spread[hidden], (deviation.square() - with_mean.square() / of_mean).sqrt()[hidden], atol=1e-3)


def test_a_block_that_is_all_black_or_all_white_leaves_no_choice(exact):
    for level in (0.0, 1.0):
        answer = last(exact.restore(torch.full((50, 1, 1, 1), level), Shrink(2), Noise(range(50)), settings=exact.Restoring(steps=4))).x
        assert torch.all(answer == level)


def test_blocks_that_leave_a_choice_and_blocks_that_do_not_answer_alone_as_they_do_together(exact):
    seen, noise = torch.tensor([0.0, 0.5, 1.0, 0.25]).view(4, 1, 1, 1), Noise(range(4))
    together = last(exact.restore(seen, Shrink(2), noise, settings=exact.Restoring(steps=4))).x
    for i in range(4):
        alone = last(exact.restore(seen[i : i + 1], Shrink(2), Noise([i]), settings=exact.Restoring(steps=4))).x
        assert torch.equal(alone[0], together[i])
    assert torch.equal(together.sum((1, 2, 3)), torch.tensor([0.0, 2.0, 4.0, 1.0]))


def test_block_averages_are_kept_and_the_mass_follows_them(exact, monkeypatch):
    """Two of four pixels are lit: answers are the pictures with two, each about as often as the joint has it."""
    monkeypatch.setattr(any_order, "TOGETHER", 0.0)  # these pixels are no strokes
    seen = torch.full((4000, 1, 1, 1), 0.5)
    answer = last(exact.restore(seen, Shrink(2), Noise(range(4000)), settings=exact.Restoring(steps=4))).x
    assert (Shrink(2)(answer) - seen).abs().max() < 1e-3
    lit = PICTURES.sum(1) == 2
    assert shares(answer)[lit].sum() > 0.85
    posterior = exact.network.joint * lit
    off = [(p - posterior / posterior.sum()).abs().sum() / 2 for p in (shares(answer), exact.network.joint)]
    assert off[0] < 0.4 * off[1]  # moments of blocks, not their whole law: closer by far than without the measurement, not exact


def test_orders_spread_over_blocks():
    """The first 49 pixels of a digit lie in 49 different squares of 4 x 4; known ones come before them."""
    model = AnyOrder(Enumerated(), Pixels(1, 28))
    known = torch.zeros(2, 784, dtype=torch.bool)
    square = torch.arange(784).view(28, 28)
    block = (square // 28 // 4) * 7 + square % 28 // 4
    order = model._order(Noise([1, 2]), known)
    assert all(len(block.flatten()[row < 49].unique()) == 49 for row in order)
    assert not torch.equal(order[0], order[1])
    known[:, 100:110] = True
    assert torch.all(model._order(Noise([1, 2]), known)[:, 100:110] < 10)
