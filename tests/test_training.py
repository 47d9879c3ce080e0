"""The training loop: what Muon does to a kernel, who is given to whom, and that an interrupted run ends where it would have."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dgm_models import catalog
from dgm_models.training.loop import KernelMuon, optimizers_of, train
from tests.conftest import TINY, build, toy_data


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
