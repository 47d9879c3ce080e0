"""Weights: what is on disk is what the manifest says, and every way of getting them wrong is refused by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from safetensors.torch import save_file

from dgm_models import catalog, hub, weights
from tests.loopback_hub import COMMIT, Hub

ROOT = Path(__file__).resolve().parents[1]
TRAINED = [id for id in weights.manifest() if id != "_hub"]


@pytest.mark.parametrize("id", TRAINED)
def test_shipped_weights_load_and_are_small(id):
    entry = weights.manifest()[id]
    assert entry["bytes"] == (weights.FOLDER / id / weights.FILE).stat().st_size < 8_000_000
    assert entry["command"].startswith(f"./dgm train {id}")
    opened = catalog.open_model(id)
    assert opened.source.kind == "embedded"
    assert all(torch.isfinite(p).all() for p in opened.model.parameters())
    assert not any(p.requires_grad for p in opened.model.parameters())


@pytest.fixture
def folder(tmp_path):
    weights.save("toy", {"w": torch.ones(4)}, {}, half=False, folder=tmp_path, command="./dgm train toy")
    return tmp_path


def test_damage_is_named_with_what_mends_it(folder, monkeypatch):
    monkeypatch.setenv("DGM_WEIGHTS", "embedded")
    assert weights.fetch("toy", folder)[1].kind == "embedded"
    path = folder / "toy" / weights.FILE
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(weights.WeightsError, match=r"toy/model.safetensors is damaged: sha256(.|\n)*git checkout weights/toy"):
        weights.fetch("toy", folder)
    path.unlink()
    with pytest.raises(weights.WeightsError, match=r"model.safetensors is missing(.|\n)*\./dgm train toy"):
        weights.fetch("toy", folder)


def test_a_missing_file_is_spoken_of_even_where_another_way_is_found(folder, monkeypatch):
    """In auto mode the cache steps in, with a warning; that the cache was empty is no news."""
    monkeypatch.setenv("DGM_WEIGHTS", "auto")
    kept = folder / "elsewhere.safetensors"
    (folder / "toy" / weights.FILE).rename(kept)

    def _cached(id, folder):
        return kept

    monkeypatch.setattr(weights, "_cached", _cached)
    with pytest.warns(UserWarning, match=r"toy: the cached weights are in use(.|\n)*model.safetensors is missing"):
        weights.fetch("toy", folder)


def test_what_is_not_finite_or_not_safetensors_is_refused(folder, monkeypatch):
    monkeypatch.setenv("DGM_WEIGHTS", "embedded")
    with pytest.raises(weights.WeightsError, match="not finite in 16 bits"):
        weights.save("big", {"w": torch.tensor([1e9])}, {}, half=True, folder=folder)
    path = folder / "toy" / weights.FILE
    save_file({"w": torch.tensor([float("nan")])}, path)
    weights.record("toy", {"sha256": weights._sha(path.read_bytes())}, folder)
    with pytest.raises(weights.WeightsError, match="w is not finite"):
        weights.fetch("toy", folder)
    path.write_bytes(b"GIF89a, or a pickle")
    weights.record("toy", {"sha256": weights._sha(path.read_bytes())}, folder)
    with pytest.raises(weights.WeightsError, match="not a safetensors file"):
        weights.fetch("toy", folder)


def test_unknown_ids_and_settings_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="unknown model 'nothing'; there are: gmm-mnist"):
        catalog.load("nothing")
    monkeypatch.setenv("DGM_WEIGHTS", "somewhere")
    with pytest.raises(weights.WeightsError, match="expected auto, embedded or hub"):
        weights.fetch("reader-mnist")


def test_the_embedded_weights_stay_where_the_repo_is_misnamed(monkeypatch):
    monkeypatch.setenv("DGM_WEIGHTS", "hub")
    monkeypatch.setenv("DGM_HUB_REPO", "three/parts/are-too-many")
    with pytest.warns(UserWarning, match="DGM_HUB_REPO: expected owner/name"):
        _, source = weights.fetch("reader-mnist")
    assert source.kind == "embedded"


def test_cards_carry_the_measured_figures():
    entry = weights.manifest()["reader-mnist"]
    text = hub.card("reader-mnist", {**entry, "scores": {"accuracy": 0.99}})
    assert "library_name: pytorch" in text
    assert "value: 0.99" in text
    assert text.count("image-classification") == 2
    assert entry["sha256"] in text
    front = hub.front_card({"reader-mnist": {**entry, "scores": {"accuracy": 0.99}}, "gmm-mnist": weights.manifest()["gmm-mnist"]})
    assert front.count("- name: reader-mnist") == front.count("- name: gmm-mnist") == front.count("model-index:") == 1
    assert "value: 0.99" in front


@pytest.fixture(scope="module")
def hub_results(tmp_path_factory):
    """One process of the real client against a loopback Hub: publish, then fetch in every way."""
    good, slow = Hub(), Hub(delay=20)
    work = tmp_path_factory.mktemp("hub")
    quiet = {"HF_HUB_OFFLINE": "0", "HF_HOME": str(work / "home"), "HF_HUB_DISABLE_XET": "1"}
    quiet |= {"HF_TOKEN": "hf_loopback", "HF_ENDPOINT": good.address}
    arguments = [good.address, slow.address, "http://127.0.0.1:9", str(work), "flipped,truncated,dropped,missing,broken"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/hub_client.py"), *arguments],
        env={**os.environ, **quiet, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=200,
    )
    good.close()
    slow.close()
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads(done.stdout.splitlines()[-1])
    results["asked"] = good.asked
    results["files"] = {path: len(raw) for (repo, path), raw in good.files.items() if repo == "good/weights"}
    return results


def test_what_was_published_comes_back(hub_results):
    assert hub_results["published"]["commit"] == COMMIT
    parts = {f"regressor-mnist/{name}" for name in ("model.safetensors", "config.json", "README.md")}
    assert set(hub_results["files"]) == {"README.md", *parts}
    assert hub_results["good"]["kind"] == "hub"
    assert hub_results["good"]["right"]
    assert ("good/weights", "main") in hub_results["asked"]
    assert hub_results["pinned"]["right"]  # no repo was named: the one that was published last, at its commit
    assert {revision for repo, revision in hub_results["asked"] if repo == "pinned/weights"} == {COMMIT}
    cached = hub_results["again, unreachable"]
    assert cached["kind"] == "cached"
    assert cached["right"]
    assert cached["seconds"] < 2


@pytest.mark.parametrize(
    ("owner", "says"),
    [("flipped", "damaged"), ("truncated", "damaged"), ("dropped", "Error"), ("missing", "EntryNotFound"), ("broken", "500")],
)
def test_a_bad_hub_is_refused_and_the_embedded_weights_stay(hub_results, owner, says):
    refused = hub_results[owner]
    assert "error" in refused, refused
    assert says in refused["error"]
    assert "./dgm train regressor-mnist" in refused["error"]
    kept = hub_results[f"{owner}, embedded"]
    assert kept["kind"] == "embedded"
    assert kept["right"]
    assert says in kept["warned"]
    assert refused["seconds"] < (10 if owner == "dropped" else 3)  # the client takes up a broken download a few times


def test_no_network_is_a_matter_of_two_seconds(hub_results):
    for name in ("slow", "unreachable"):
        assert "does not answer" in hub_results[name]["error"]
        assert hub_results[name]["seconds"] < 3
    assert hub_results["auto"]["kind"] == "embedded"
    assert hub_results["auto"]["seconds"] < 0.5


def test_what_another_file_holds_is_referred_to_and_not_repeated(tmp_path):
    rest = {"own": torch.arange(3.0)}
    lent = {"network.a": torch.ones(1000), "network.b": torch.zeros(2, 2), "other": torch.ones(1)}
    taken = {"teacher.a": torch.ones(1000), "teacher.b": torch.zeros(2, 2)}
    weights.save("lender", lent, {}, half=True, folder=tmp_path)
    weights.save("pupil", rest | taken, {}, half=True, folder=tmp_path)
    before = weights.manifest(tmp_path)["pupil"]["bytes"]
    assert weights.borrow("pupil", "lender", MappingProxyType({"teacher.": "network."}), tmp_path) == 2
    assert weights.manifest(tmp_path)["pupil"]["bytes"] < before - 1500
    tensors, _ = weights.fetch("pupil", tmp_path)
    assert tensors.keys() == {"own", "teacher.a", "teacher.b"}
    assert all(torch.equal(tensors[name], (rest | taken)[name]) for name in tensors)
    third = {"mine": torch.ones(1), "a": torch.ones(1000)}
    weights.save("third", third, {}, half=True, folder=tmp_path)
    assert weights.borrow("third", "pupil", {"a": "teacher.a"}, tmp_path) == 1  # what is lent on
    assert torch.equal(weights.fetch("third", tmp_path)[0]["a"], third["a"])

    weights.save("lender", lent | {"network.a": torch.zeros(1000)}, {}, half=True, folder=tmp_path)
    with pytest.raises(
        weights.WeightsError, match="refers to weights of lender that are no longer there. Train it anew: ./dgm train pupil"
    ):
        weights.fetch("pupil", tmp_path)
    weights.save("pupil", rest | taken, {}, half=True, folder=tmp_path)  # trained anew, it refers to nothing
    assert weights.borrow("pupil", "lender", {"teacher.": "network."}, tmp_path) == 0  # for it is not the same
    assert torch.equal(weights.fetch("pupil", tmp_path)[0]["teacher.a"], torch.ones(1000))


def test_no_shipped_file_repeats_another():
    """Tensors of a thousand numbers and more are stored once."""
    from safetensors.torch import load_file

    seen: dict[bytes, str] = {}
    for id in TRAINED:
        for name, tensor in load_file(weights.FOLDER / id / weights.FILE).items():
            if tensor.numel() > 1000 and tensor.unique().numel() > 2:
                raw = tensor.contiguous().view(torch.uint8).numpy().tobytes()
                assert seen.setdefault(raw, f"{id} {name}") == f"{id} {name}"


def test_models_that_were_not_asked_for_lately_are_let_go(monkeypatch):
    first = catalog.open_model("gmm-mnist")
    assert catalog.open_model("gmm-mnist") is first
    monkeypatch.setattr(catalog, "MOST_BYTES", 12_000_000)
    catalog.open_model("vae-mnist")
    assert sum(map(catalog._size, catalog._kept.values())) <= 13_000_000
    catalog.open_model("rbm-mnist")
    assert "gmm-mnist" not in catalog._kept
    again = catalog.open_model("gmm-mnist")
    assert again is not first
    assert torch.equal(again.model.means, first.model.means)
