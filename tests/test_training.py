"""The training loop: what Muon does to a kernel, who is given to whom, and that an interrupted run ends where it would have."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dgm_models import catalog
from dgm_models.contracts import Learner
from dgm_models.training.loop import train
from dgm_models.training.optimizers import KernelMuon, optimizers_of
from dgm_models.training.step import Trainer
from tests.conftest import PLANE, TINY, build, toy_data


def test_muon_moves_a_kernel_by_an_orthogonal_matrix():
    """All singular values of the step are about equal, though those of the gradient are not; its size is AdamW's."""
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.zeros(8, 4, 3, 3))
    kernel.grad = (torch.randn(8, 8) @ torch.diag(torch.logspace(0, -2, 8)) @ torch.randn(8, 36)).view_as(kernel)
    KernelMuon([kernel], rate=0.1).step()
    values = torch.linalg.svdvals(kernel.detach().flatten(1)) / (0.1 * 0.2 * 36**0.5)
    assert values.max() < 1.4
    assert values.min() > 0.4


def test_repeated_kernels_go_to_muon_and_every_parameter_to_one():
    model = build("diffusion", TINY)
    adam, muon = optimizers_of(model, 1e-3, "muon")
    outer = {id(p) for p in adam.param_groups[0]["params"]}
    inner = {id(p) for p in muon.param_groups[0]["params"]}
    assert outer | inner == {id(p) for p in model.parameters()}
    assert not outer & inner
    assert id(model.network.middle[0].conv1.weight) in inner
    assert {id(model.network.enter.weight), id(model.network.condition.label.weight), id(model.network.leave.weight)} <= outer
    (only,) = optimizers_of(model, 1e-3, "adamw")
    assert len(only.param_groups[0]["params"]) == len(list(model.parameters()))


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "sgd"])
def test_an_interrupted_run_ends_where_it_would_have(tmp_path, optimizer):
    x, y = toy_data(TINY)
    options = {"steps": 6, "batch": 16, "rate": 1e-3, "optimizer": optimizer, "report_every": 3, "checkpoint_every": 3}
    whole = build("diffusion", TINY)
    for _ in train(whole, x, y, folder=tmp_path / "whole", **options):
        pass
    broken = build("diffusion", TINY)
    run = train(broken, x, y, folder=tmp_path / "broken", **options)
    assert [next(run).step, next(run).step] == [3, 6]  # step 3 is kept, step 6 not yet
    run.close()
    again = build("diffusion", TINY)
    assert [progress.step for progress in train(again, x, y, folder=tmp_path / "broken", **options)] == [6]
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_run_in_slices_is_one_run_to_the_last_bit_and_draws_from_no_stream_but_its_own():
    """A VAE on points, step by step, while somebody else draws in between."""
    (x, y), options = toy_data(PLANE), {"steps": 40, "batch": 64, "rate": 3e-3, "seed": 5}
    one = Trainer(build("vae", PLANE), x, y, **options)
    losses = [one.step()["model"] for _ in range(40)]
    sliced, again = Trainer(build("vae", PLANE), x, y, **options), []
    for slice in (1, 7, 2, 30):
        torch.manual_seed(slice)
        before = torch.get_rng_state()
        again += [sliced.step()["model"] for _ in range(slice)]
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(torch.stack(losses), torch.stack(again))
    for model in ("model", "average"):
        for this, that in zip(getattr(one, model).parameters(), getattr(sliced, model).parameters(), strict=True):
            assert torch.equal(this, that)
    assert sum(losses[-10:]) < sum(losses[:10])
    with pytest.raises(ValueError, match="all 40 steps are done"):
        one.step()


def test_the_averaged_model_can_be_asked_at_any_time():
    (x, y), model = toy_data(PLANE), build("vae", PLANE)
    trainer = Trainer(model, x, y, steps=20, batch=32, rate=1e-2)
    for _ in range(7):
        trainer.step()
    slow, fast = (torch.cat([p.flatten() for p in m.parameters()]) for m in (trainer.average, model))
    assert torch.isfinite(trainer.average.loss(x[:8], y[:8]))
    assert 0 < (slow - fast).abs().max() < 0.5


def test_a_player_of_two_networks_trains_both_and_no_other():
    """One player of an adversarial pair holds two networks, as the two generators of a cycle do."""

    class Pair(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.there, self.back = nn.Linear(2, 2), nn.Linear(2, 2)

    class Cycle(Learner):
        def __init__(self):
            super().__init__()
            self.space, self.generators, self.critic = PLANE, Pair(), nn.Linear(2, 1)

        def players(self):
            return {"generators": self.generators, "critic": self.critic}

        def loss(self, x, y=None, player="generators"):
            there = self.generators.there(x)
            again = (self.generators.back(there) - x).square().mean()
            return again - self.critic(there).mean() if player == "generators" else self.critic(there).square().mean()

    (x, y), model = toy_data(PLANE), Cycle()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    trainer = Trainer(model, x, y, steps=30, batch=64, rate=1e-2)
    losses = [trainer.step() for _ in range(30)]
    assert set(losses[0]) == {"generators", "critic"}
    assert all(not torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert losses[-1]["critic"] < losses[0]["critic"]


def test_what_learns_by_steps_of_its_own_is_trained_by_the_same_loop():
    (x, y), model = toy_data(TINY), build("mixture", TINY)
    values = [progress.losses["model"] for progress in train(model, x, y, steps=4, batch=1, rate=1.0, report_every=1)]
    assert values[-1] < values[0]
    again = build("mixture", TINY)
    for _ in again.fit(x, y, steps=4):
        pass
    assert torch.equal(model.means, again.means)


@pytest.mark.parametrize("id", ["reader-mnist", "regressor-mnist"])
def test_those_that_judge_are_trained_by_the_same_loop(id):
    """They are no families, and the loop tells whatever it trains how far it has come."""
    model = catalog.build(catalog.recipe(id))
    before = [p.detach().clone() for p in model.parameters()]
    x = torch.rand(12, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    (progress,) = train(model, x, torch.arange(12) % 10, steps=2, batch=12, rate=1e-3)
    assert 0 < progress.losses["model"] < 10
    assert any(not torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


def test_every_larger_recipe_changes_what_it_names_and_fits_in_8_megabytes():
    rows = [row for row in catalog.MODELS.values() if row.large]
    for row in rows:
        larger = catalog.enlarge(row)
        assert larger.family_config == {**row.family_config, **row.large.get("family_config", {})}
        assert larger.network_config == {**row.network_config, **row.large.get("network_config", {})}
        assert 2 * sum(p.numel() for p in catalog.build(larger).parameters()) < 8e6, row.id
        assert larger.steps * larger.batch > row.steps * row.batch
    assert {"autoregressive-mnist", "gan-mnist"} <= {row.id for row in rows}
    with pytest.raises(ValueError, match="gmm-mnist has no larger recipe"):
        catalog.enlarge(catalog.recipe("gmm-mnist"))
