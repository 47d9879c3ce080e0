"""The command line as a person types it."""

from __future__ import annotations

import json

import numpy as np
from typer.testing import CliRunner

from dgm_models.__main__ import app

run = CliRunner().invoke


def test_list_reads_well_and_as_json():
    assert "gmm-mnist" in run(app, ["list"]).output
    rows = json.loads(run(app, ["list", "--json"]).output)
    assert {"id", "title", "parameters", "answers"} <= set(rows[0])


def test_sample_writes_what_was_asked(tmp_path):
    done = run(app, ["sample", "gmm-mnist", "--digits", "123", "--seed", "5", "--to", str(tmp_path / "x.npy")])
    assert done.exit_code == 0, done.output
    assert np.load(tmp_path / "x.npy").shape == (3, 1, 28, 28)
    assert run(app, ["sample", "gmm-mnist", "--to", str(tmp_path / "x.png")]).exit_code == 0
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_mistakes_get_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for arguments, says in [
        (["sample", "nothing"], "unknown model"),
        (["sample", "gmm-mnist", "--digits", "12x"], "expected 1 to 64"),
        (["sample", "gmm-mnist", "--seed", "-4"], "whole number"),
        (["sample", "gmm-mnist", "--to", str(tmp_path / "x.bmp")], ".png or .npy"),
        (["sample", "reader-mnist"], "does not answer 'sample'; these do: gmm-mnist"),
        (["publish", "--repo-id", "some/weights"], "nothing was published"),  # nobody listens at that address
        (["evaluate"], "either the id of a model or --all"),
        (["train", "nothing"], "unknown model"),
    ]:
        done = run(app, arguments)
        assert done.exit_code == 1, arguments
        assert says in done.output + (done.stderr or "")
        assert "Traceback" not in done.output


def test_help_names_every_command():
    text = run(app, ["--help"]).output
    assert all(name in text for name in ("list", "sample", "train", "evaluate", "publish"))
