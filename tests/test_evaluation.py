"""The evaluator and the trainer themselves, on few digits: what they measure, what they write, that a run can be taken up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from dgm_models import catalog, weights
from dgm_models.data import SETS, mnist
from dgm_models.evaluation import material, measure, report
from dgm_models.training import run


@pytest.fixture
def few(monkeypatch, tmp_path):
    """1,200 test digits to measure on, test digits in the place of the training digits, and a manifest that is thrown away."""
    x, y = mnist.test()
    monkeypatch.setitem(SETS, "mnist", replace(mnist.DATA, train=lambda: (x, y), test=lambda: (x[:1200], y[:1200])))
    monkeypatch.setattr(measure, "DRAWN", 1200)
    monkeypatch.setattr(material, "SHEETS", tmp_path / "sheets")
    written: dict = {}
    monkeypatch.setattr(weights, "record", lambda id, entry: written.update({id: entry}))
    kept = (measure._floor, material.held_out)
    for each in kept:
        each.cache_clear()
    yield written
    for each in kept:
        each.cache_clear()


def test_a_model_is_measured_and_recorded_part_by_part(few, tmp_path):
    found = {}
    for part, scores in measure.evaluate("gmm-mnist", ["samples", "distances", "inpainting", "super_resolution", "likelihood"], digits=24):
        found |= scores
        assert few["gmm-mnist"]["scores"].items() >= scores.items(), part
    assert found["read_as_asked"] > 0.93
    assert found["frechet"] > found["frechet_floor"] > 0
    assert found["frechet_ratio"] == pytest.approx(found["frechet"] / found["frechet_floor"])
    assert found["kernel_distance"] > found["kernel_floor"]
    assert all(0 < found[name] <= 1 for name in ("precision", "recall", "coverage"))
    assert found["inpainting_digits"] == found["super_resolution_digits"] == found["likelihood_digits"] == 24
    assert found["inpainting_largest_change"] == 0
    assert found["super_resolution_largest_change"] < 1 / 255
    assert 0 < found["inpainting_read_as_original"] <= 1
    assert found["evidence"] == "lower bound"
    assert 4 < found["bits_per_dimension"] < 7
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {
        f"gmm-mnist-{what}.png" for what in ("samples", "inpainting", "super-resolution")
    }


def test_machines_in_black_and_white_are_measured_in_nats_of_their_own(few):
    """Not in bits of 8-bit levels; and with the protocol of the constant that they estimate."""
    found = dict(measure.evaluate("rbm-mnist", ["likelihood", "nats", "recognition"], digits=100))
    assert set(found) == {"nats", "recognition"}
    assert 80 < found["nats"]["nats"] < 110
    assert found["nats"]["nats_evidence"] == "estimate"
    assert found["nats"]["log_z_error"] < 1
    assert found["nats"]["ais_chains"] * found["nats"]["ais_temperatures"] > 1_000_000
    assert found["recognition"]["recognised"] > 0.9
    assert dict(measure.evaluate("gmm-mnist", ["nats", "recognition"])) == {}


def test_what_the_app_draws_is_measured_where_it_is_sharper_than_the_model(few, monkeypatch):
    """For a model that is neither guided nor cooled there is nothing to add; cooled, it is a figure beside the plain one."""
    assert list(measure.evaluate("gmm-mnist", ["guided"])) == []
    model = catalog.load("gmm-mnist")
    monkeypatch.setattr(measure, "sharpened", lambda model: True)
    found = measure._guided("gmm-mnist", model)
    plain = measure._distances("gmm-mnist", model)
    assert found["frechet_ratio_guided"] == pytest.approx(plain["frechet_ratio"])
    assert {"precision_guided", "recall_guided"} <= set(found)
    assert not any("floor" in name for name in found)


def test_the_floor_has_the_labels_of_the_digits_it_is_measured_on(few, monkeypatch):
    """With the very digits for training digits the floor is that of a reordering: none."""
    x, y = mnist.test()
    monkeypatch.setitem(SETS, "mnist", replace(SETS["mnist"], train=lambda: (x[:1200], y[:1200])))
    assert measure._floor("mnist", 1200, draws=1)["frechet"] == pytest.approx(0, abs=1e-3)


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="there are: speed, samples"):
        list(measure.evaluate("gmm-mnist", ["charm"]))


def test_the_table_is_the_manifest(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nstale\n{report.END}\nafter\n", encoding="utf-8")
    report.write_table(readme)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    share = weights.manifest()["gmm-mnist"]["scores"]["read_as_asked"]
    assert f"{share:.1%}" in next(line for line in text.splitlines() if "gmm-mnist" in line)
    assert "stale" not in text
    assert "diffusion-shape-mnist" in text  # one that serves a panel, of a data set that is another's
    assert "palette-cifar" not in text  # of which no table has a figure


def test_a_student_of_three_lessons_is_trained_and_an_interrupted_one_goes_on(few, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    small = replace(catalog.recipe("diffusion-fast-mnist"), batch=8)
    monkeypatch.setitem(catalog.MODELS, small.id, small)
    monkeypatch.setattr(
        weights, "record", lambda id, entry, folder: weights._replace(folder / "manifest.json", json.dumps({id: entry}).encode())
    )
    lines = run.train_recipe(small.id, steps=3, compile=False)
    for line in lines:
        if "one step of 2" in line:
            break  # interrupted before the last lesson
    lines.close()
    finished = list(run.train_recipe(small.id, steps=3, compile=False))
    trained = [line for line in finished if line.startswith("step")]
    assert len(trained) == 1  # the first two lessons were read from their checkpoints
    entry = weights.manifest(tmp_path / "runs" / f"{small.id}-trial" / "weights")[small.id]
    assert entry["command"] == f"./dgm train {small.id} --steps 3"
    assert not list((tmp_path / "runs").glob("*/lesson-*"))


def test_a_mixture_is_trained_by_its_recipe(few, monkeypatch, tmp_path):
    x, y = mnist.test()
    monkeypatch.setitem(SETS, "mnist", replace(mnist.DATA, train=lambda: (x[:2000], y[:2000])))
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    said: list = []
    monkeypatch.setattr(weights, "save", lambda id, tensors, config, **about: said.append((id, tensors, about)))
    lines = list(run.train_recipe("gmm-mnist", steps=2))
    losses = [float(line.split("model")[1].split()[0]) for line in lines if line.startswith("step")]
    assert losses[-1] < losses[0]
    ((id, tensors, about),) = said
    assert id == "gmm-mnist"
    assert about["folder"] == run.RUNS / "gmm-mnist-trial" / "weights"
    assert all(torch.isfinite(t).all() for t in tensors.values())


@pytest.mark.parametrize("id", catalog.models_for("sample"))
def test_every_model_takes_the_settings_that_its_distances_are_measured_with(id):
    kind = catalog.family(id).Settings
    wanted = {name: value for name, value in material.as_learned(kind).items() if name in kind.knobs()}
    chosen = kind(**wanted)
    assert chosen.temperature == 1
    assert getattr(chosen, "guidance_scale", 1) == 1
