"""The models of 2014 to 2021: what each year's idea promises, before and after training."""

from __future__ import annotations

import pytest
import torch

from dgm_models import catalog, weights
from dgm_models.applications import years as y
from dgm_models.applications.receipt import Receipt
from dgm_models.contracts import Noise
from dgm_models.data import SETS
from dgm_models.families.years import GAMES, GANOfYear
from dgm_models.networks.years import GROWN, Coupled, Growing, Perceptrons
from dgm_models.recipes.avatars import RECIPES
from dgm_models.training.step import Trainer

DATA = SETS["avatars"]
GAMES_OF = {row.id: row for row in RECIPES if "years" in row.family}


def untrained(id):
    torch.manual_seed(0)
    model = catalog.build(catalog.recipe(id)).eval()
    return model.requires_grad_(False)


@pytest.mark.parametrize("id", [row.id for row in RECIPES])
def test_every_year_has_one_picture_a_code_and_about_as_many_parameters(id):
    model = untrained(id)
    year = next(each for each in y.YEARS if y.id_of(each) == id)
    settings = y.settings_of(year) if year < 2020 else model.Settings(steps=2)
    x = model.sample(Noise([3, 4, 5]), None, settings)
    assert x.shape == (3, *DATA.space.shape)
    assert torch.allclose(model.sample(Noise([4]), None, settings), x[1:2], atol=1e-5)
    maker = getattr(model.network, "generator", model.network)
    assert 350_000 < sum(p.numel() for p in maker.parameters()) < 500_000


@pytest.mark.parametrize("id", list(GAMES_OF))
def test_each_player_descends_on_its_own_loss_and_the_critic_teaches_no_generator(id):
    x, labels = DATA.shown()
    torch.manual_seed(0)
    model = catalog.build(GAMES_OF[id])
    x, labels = DATA.space.read(x[:16]), labels[:16]
    model.loss(x, labels, "critic").backward()
    slopes = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert slopes
    assert all(name.startswith("network.critic.") for name in slopes)
    assert any(slope.any() for slope in slopes.values())
    model.loss(x, labels, "generator").backward()
    assert any(p.grad is not None and p.grad.any() for p in model.network.generator.parameters())
    trainer = Trainer(model, *DATA.shown(), steps=2, batch=16, rate=1e-3, momentum=GAMES_OF[id].momentum)
    assert all(torch.isfinite(loss) for loss in trainer.step().values())
    with pytest.raises(ValueError, match="expected player"):
        model.loss(x, labels, "model")


def test_what_grows_shows_small_pictures_first():
    network = Growing(8, width=8)
    z, none = torch.randn(2, 8), torch.zeros(2, dtype=torch.long)
    coarse = {0.0: 4, GROWN[0] + 0.2: 2, 1.0: 1}
    for share, size in coarse.items():
        network.grow(share)
        made = network.generator(z, none)
        blocks = made.unfold(2, size, size).unfold(3, size, size)
        assert torch.equal(blocks.amax((4, 5)), blocks.amin((4, 5)))
        assert network.critic(made, none).shape == (2,)
    blocks = made.unfold(2, 2, 2).unfold(3, 2, 2)
    assert not torch.equal(blocks.amax((4, 5)), blocks.amin((4, 5)))


def test_a_new_size_fades_in():
    network = Growing(8, width=8)
    z, none = torch.randn(2, 8), torch.zeros(2, dtype=torch.long)
    network.grow(GROWN[1] - 1e-6)
    before = network.generator(z, none)
    network.grow(GROWN[1])
    assert torch.allclose(network.generator(z, none), before, atol=1e-5)
    network.grow(GROWN[1] + 0.05)
    assert not torch.allclose(network.generator(z, none), before, atol=1e-3)


def test_coupled_generators_differ_in_their_last_layers_alone():
    network = Coupled(8, first=2, width=8).eval()
    z = torch.randn(3, 8)
    dark, bright = (network.generator(z, torch.full((3,), label)) for label in (0, 5))
    assert not torch.allclose(dark, bright, atol=1e-4)
    network.generator.heads[1].load_state_dict(network.generator.heads[0].state_dict())
    assert torch.equal(network.generator(z, torch.full((3,), 5)), dark)


def test_hair_is_as_frequent_as_it_is_said_to_be():
    labels = DATA.shown()[1]
    found = torch.bincount(labels, minlength=len(y.HAIR)) / len(labels)
    assert torch.allclose(found, torch.tensor(y.HAIR) / sum(y.HAIR), atol=0.03)


def test_what_a_year_brings_is_said_beside_the_best_before(monkeypatch):
    known = {2014: 130.0, 2015: 2.97, 2016: 14.0}
    monkeypatch.setattr(weights, "manifest", lambda: {y.id_of(year): {"scores": {"frechet_ratio": far}} for year, far in known.items()})
    assert [y.gain(year) for year in known] == ["distance 130", "distance 3.0", "distance 14, no gain at this size"]
    assert y.gain(2017) == ""


def test_years_that_cost_alike_are_told_together():
    made = {year: y.Faces(torch.zeros(1), Receipt("", 7, evaluations=n)) for year, n in ((2014, 1), (2015, 1), (2020, 40))}
    together, *each = y.costs(made).split(" · ")
    assert together == "evaluations 2014 to 2015: 1 a face; 2020: 40 a face"
    assert each == ["2014: 0 ms, 1 evaluation", "2015: 0 ms, 1 evaluation", "2020: 0 ms, 40 evaluations"]


def test_games_are_named():
    with pytest.raises(ValueError, match="expected a game of"):
        GANOfYear(Perceptrons(4), DATA.space, 4, game="chess")
    assert {row.family_config["game"] for row in GAMES_OF.values()} == set(GAMES)
    with pytest.raises(ValueError, match="Year: expected one of 2014"):
        y.id_of(2013)
    with pytest.raises(ValueError, match="Faces: expected 1 to"):
        y.faces(2014, 7, 1000)
