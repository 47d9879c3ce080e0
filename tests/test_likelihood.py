"""My digit: Bayes' rule on what the models say, and plain words where they say nothing."""

from __future__ import annotations

import pytest
import torch

from dgm_models import catalog
from dgm_models.applications.likelihood import png_bits, verdict_of, verdict_of_reader
from dgm_models.data import mnist
from dgm_models.ui.tabs import mydigit

X, Y = mnist.pixels(mnist.test()[0][:100]), mnist.test()[1][:100]


def test_bayes_rule_turns_densities_into_a_reading():
    model = catalog.load("gmm-mnist")
    nats = model.log_prob(X[:1].expand(10, -1, -1, -1), torch.arange(10))
    said = verdict_of("gmm-mnist", X[:1])
    assert said.nats == pytest.approx(float(nats.max() + (nats - nats.max()).exp().mean().log()), rel=1e-5)
    assert torch.allclose(said.posterior, nats.softmax(0), atol=1e-5)
    assert said.bits == pytest.approx(-said.nats / 784 / 0.693147, rel=1e-5)


@pytest.mark.parametrize("id", ["gmm-mnist", "autoregressive-mnist"])
def test_a_density_reads_test_digits(id):
    right = sum(int(verdict_of(id, X[i : i + 1]).posterior.argmax()) == int(Y[i]) for i in range(100))
    assert right >= 86


def test_nats_of_a_picture_in_black_and_white_are_no_bits_to_compare():
    said = verdict_of("rbm-mnist", X[:1])
    assert said.nats < 0
    assert said.bits is None
    assert int(said.posterior.argmax()) == int(Y[0])
    assert "an estimate, in black and white" in mydigit._table([said], 2.0, "?")


def test_who_has_no_density_says_why():
    silent = [id for id in catalog.models_for("sample") if id not in catalog.models_for("log_prob")]
    assert silent
    for id in silent:
        said = verdict_of(id, X[:1])
        assert said.nats is None
        assert said.posterior is None
        assert len(said.kind) > 20
    assert verdict_of_reader(X[:1]).nats is None


def test_the_table_names_all_and_escapes_the_link():
    verdicts = [verdict_of("gmm-mnist", X[:1]), verdict_of("diffusion-fast-mnist", X[:1]), verdict_of_reader(X[:1])]
    text = mydigit._table(verdicts, png_bits(X[:1]), '?pad="><script>')
    assert "Gaussian mixture" in text
    assert "no density" in text
    assert "<script>" not in text
    assert 2 < png_bits(X[:1]) < 4
