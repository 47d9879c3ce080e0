"""The models that ship: they do what their family promises, on digits they have not seen. Small samples, wide margins."""

from __future__ import annotations

import pytest
import torch

from dgm_models import Hide, Noise, Shrink, catalog, load
from dgm_models.contracts import last
from dgm_models.data import mnist
from tests.conftest import some

SAMPLERS = catalog.models_for("sample")
RESTORERS = [(id, kind) for kind in (Hide, Shrink) for id in catalog.models_for("restore", kind)]


@pytest.fixture(scope="module")
def digits():
    x, y = mnist.test()
    return mnist.pixels(x[:100]), y[:100]


def reads(x):
    with torch.no_grad():
        return load("reader-mnist")(x).argmax(1)


def test_the_reader_reads():
    x, y = mnist.test()
    right = torch.cat([reads(mnist.pixels(chunk)) for chunk in x[:4000].split(1000)]) == y[:4000]
    assert right.float().mean() >= 0.995


@pytest.mark.parametrize("id", some(SAMPLERS, "gmm-mnist", "vae-mnist", "flow-mnist", "gan-mnist", "diffusion-fast-mnist"))
def test_samples_read_as_asked_and_are_the_same_alone_and_in_a_batch(id):
    model, y = load(id), torch.arange(60) % 10
    x = model.sample(Noise(range(60)), y)
    assert x.shape == (60, 1, 28, 28)
    assert x.dtype == torch.float32
    assert x.min() >= 0
    assert x.max() <= 1
    assert (reads(x) == y).float().mean() > 0.85
    same_label = x[y == 3]
    assert (same_label[0] - same_label[1:]).abs().flatten(1).mean(1).min() > 0.02  # six different threes
    assert (model.sample(Noise([17]), y[17:18]) - x[17:18]).abs().max() <= 2 / 255


@pytest.mark.parametrize(("id", "way"), some(RESTORERS, "gmm-mnist", "rbm-mnist", "gsn-mnist"))
def test_restorations_keep_what_was_seen(id, way, digits):
    x, y = digits
    mask = torch.ones(1, 28, 28, dtype=torch.bool)
    mask[:, 7:21, 7:21] = False
    away = Hide(mask) if way is Hide else Shrink(4)
    seen = away(x[:16])
    answer = last(load(id).restore(seen, away, Noise(range(16)))).x
    assert (away(answer) - seen).abs().max() < 1 / 255
    if way is Hide:
        assert torch.equal(answer[:, mask], x[:16][:, mask])
    assert (reads(answer) == y[:16]).float().mean() > 0.3  # by chance five of sixteen in one case of sixty


def test_the_flow_s_recogniser_names_most_digits_whose_centre_is_hidden():
    x, y = mnist.test()
    mask = torch.ones(1, 28, 28, dtype=torch.bool)
    mask[:, 7:21, 7:21] = False
    with torch.no_grad():
        logits = load("flow-mnist").network.recogniser(2 * mnist.pixels(x[:500]) - 1, mask.expand(500, -1, -1, -1))
    assert (logits.argmax(1) == y[:500]).float().mean() > 0.7


@pytest.mark.parametrize("id", some(catalog.models_for("log_prob"), "gmm-mnist", "flow-mnist", "rbm-mnist"))
def test_digits_are_likelier_than_nonsense(id, digits):
    x, y = digits
    model = load(id)
    real = model.log_prob(x[:8], y[:8])
    noise = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0)).mul(255).round() / 255
    assert torch.isfinite(real).all()
    assert (real > model.log_prob(noise, y[:8])).all()
    assert model.evidence in ("exact", "lower bound", "estimate", "unnormalised")


@pytest.mark.parametrize("id", some(catalog.models_for("encode"), "vae-mnist", "flow-mnist"))
def test_codes_decode_to_the_digit(id, digits):
    x, y = digits
    model = load(id)
    again = model.decode(model.encode(x[:10], y[:10]), y[:10])
    assert (again - x[:10]).square().mean() < 0.03
    assert (reads(again) == y[:10]).float().mean() >= 0.9


def test_codes_of_different_digits_lie_apart(digits):
    """As draws from the prior do: a walk between two codes must not pass the same picture for any two digits."""
    x, y = digits
    z = load("diffusion-mnist").encode(x[:8]).flatten(1)
    cosine = torch.nn.functional.cosine_similarity(z[:, None], z[None], dim=2) - torch.eye(8)
    assert cosine.abs().max() < 0.3
