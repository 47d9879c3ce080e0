"""What y may be: labels, numbers, another picture. Each is checked, can be none, and steers a model that learns from it."""

from __future__ import annotations

import pytest
import torch

from dgm_models.conditions import Attributes, Classes, Embedding, Given, Numbers
from dgm_models.contracts import Noise
from dgm_models.families.diffusion import Diffusion
from dgm_models.networks.velocity import VelocityMLP, VelocityUNet
from dgm_models.spaces import Pixels, Reals
from dgm_models.training.step import Trainer
from tests.conftest import TINTED, toy_data

GREEN = Given(Pixels(1, 8))
SAID = Attributes(("place", "size"), (("left", "right", "up"), ("small", "large")))
POINT, BESIDE = Embedding(2), Embedding(2, Pixels(1, 2))
SIZES = Numbers(("slant", "width"), ((-1.0, 1.0), (0.0, 4.0)))


@pytest.mark.parametrize(
    ("condition", "y"),
    [
        (Classes(3), torch.tensor([0, 2, 1])),
        (SIZES, torch.tensor([[0.0, 1.0], [1.0, 4.0], [-1.0, 0.0]])),
        (GREEN, torch.rand(3, 1, 8, 8)),
        (SAID, torch.tensor([[0, -1], [2, 1], [-1, 0]])),
        (POINT, torch.eye(2)[[0, 1, 0]]),
        (BESIDE, torch.cat([torch.rand(3, 4), torch.eye(2)[[0, 1, 0]]], 1)),
    ],
    ids=["classes", "numbers", "given", "attributes", "embedding", "embedding beside a picture"],
)
def test_conditions_are_checked_and_dropped_row_by_row(condition, y):
    known = condition.check(y, 3)
    assert len(known) == 3
    assert not condition.is_null(known).any()
    assert condition.is_null(condition.check(None, 3)).all()
    assert condition.is_null(condition.null(2)).all()
    torch.manual_seed(0)
    many = known.repeat_interleave(300, 0)
    dropped = condition.drop(many, 0.25)
    gone = condition.is_null(dropped)
    assert 0.2 < gone.float().mean() < 0.3
    assert torch.equal(dropped[~gone], many[~gone])


def test_nonsense_conditions_are_refused_by_name():
    with pytest.raises(ValueError, match="labels from 0 to 2"):
        Classes(3).check(torch.tensor([3]), 1)
    with pytest.raises(ValueError, match="width: expected a number from 0 to 4"):
        SIZES.check(torch.tensor([[0.0, 5.0]]), 1)
    with pytest.raises(ValueError, match="slant: expected a number"):
        SIZES.check(torch.tensor([[float("nan"), 1.0]]), 1)
    with pytest.raises(ValueError, match="1 rows of slant, width"):
        SIZES.check(torch.zeros(1, 3), 1)
    with pytest.raises(ValueError, match=r"expected pixels in \[0, 1\]"):
        GREEN.check(torch.full((1, 1, 8, 8), 2.0), 1)
    with pytest.raises(ValueError, match="expected 2 elements to go by, got 1"):
        GREEN.check(torch.zeros(1, 1, 8, 8), 2)
    assert Classes(3).in_turn(4).tolist() == [0, 1, 2, 0]


def test_a_picture_can_be_the_condition():
    """p(colours | green): what is drawn has the green that was given, and without one it need not."""
    x, _ = toy_data(TINTED)
    green = x[:, 1:2]
    torch.manual_seed(0)
    model = Diffusion(VelocityUNet(3, width=16, fine=1, coarse=1, given=GREEN.taken[0]), TINTED, GREEN, drop=0.1)
    trainer = Trainer(model, x, green, steps=400, batch=64, rate=4e-3, ema=0.98)
    for _ in range(400):
        trainer.step()
    drawn = trainer.average.eval().requires_grad_(False)
    asked, plain = green[:64], drawn.Settings(guidance_scale=1.0, steps=20)
    off = lambda y: float((drawn.sample(Noise(range(64)), y, plain)[:, 1:2] - asked).abs().mean())  # noqa: E731
    assert off(asked) < 0.7 * off(None)


def test_numbers_can_be_the_condition():
    """Points on a line, told how far along they are."""
    torch.manual_seed(0)
    far = 4 * torch.rand(2000, 1)
    x = torch.cat([far / 2 - 1, 1 - far / 2], dim=1) + 0.05 * torch.randn(2000, 2)

    class Told(VelocityMLP):
        """Hears the condition beside the point."""

        def __init__(self):
            super().__init__(2, width=32)
            self.told = torch.nn.Linear(2, 2)

        def forward(self, x_t, t, y):
            return super().forward(x_t + self.told(y), t, torch.zeros(len(y), dtype=torch.long))

    trainer = Trainer(Diffusion(Told(), Reals((2,)), Numbers(("far",), ((0.0, 4.0),))), x, far, steps=400, batch=128, rate=5e-3, ema=0.98)
    for _ in range(400):
        trainer.step()
    model = trainer.average.eval().requires_grad_(False)
    asked = torch.linspace(0, 4, 64)[:, None]
    drawn = model.sample(Noise(range(64)), asked, model.Settings(guidance_scale=1.0, steps=10))
    assert torch.corrcoef(torch.stack([drawn[:, 0], asked[:, 0]]))[0, 1] > 0.9


def test_attributes_and_embeddings_are_what_they_should_be():
    with pytest.raises(ValueError, match="size: expected a number from 0 to 1, or -1"):
        SAID.check(torch.tensor([[0, 2]]), 1)
    with pytest.raises(ValueError, match="2 rows of 2 choices"):
        SAID.check(torch.zeros(1, 3, dtype=torch.int64), 2)
    with pytest.raises(ValueError, match="of length 1"):
        POINT.check(torch.tensor([[2.0, 0.0]]), 1)
    with pytest.raises(ValueError, match="1 rows of 6 finite numbers"):
        BESIDE.check(torch.zeros(1, 2), 1)
    with pytest.raises(ValueError, match=r"pixels in \[0, 1\]"):
        BESIDE.check(torch.tensor([[9.0, 0, 0, 0, 1, 0]]), 1)
