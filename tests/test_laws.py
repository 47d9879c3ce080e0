"""The laws that every family keeps, on points and on pictures."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from dgm_models.contracts import Noise, last
from dgm_models.measurements import Grey, Hide, Shrink
from dgm_models.probability import energy_distance
from tests.conftest import KINDS, PLANE, TINY, build, toy_data

SLOW = {
    "diffusion": {"steps": 20, "guidance_scale": 1.0},
    "any_order": {"steps": 16, "guidance_scale": 1.0},
    "autoregressive": {"guidance_scale": 1.0},
    "energy": {"guidance_scale": 1.0},
}
HALF = Hide(torch.tensor([[[True, False] * 2] * 4]))
RESTORING = [
    (family, HALF)
    for family in ("mixture", "vae", "diffusion", "any_order", "autoregressive", "flow", "energy", "gan", "rbm", "dbm", "gsn")
]
RESTORING += [(family, Shrink(2)) for family in ("mixture", "vae", "diffusion", "any_order", "energy", "gan")]
each_restoring = pytest.mark.parametrize(("family", "away"), RESTORING)
each_kind = pytest.mark.parametrize(("family", "name"), KINDS)


@each_kind
def test_loss_is_finite_and_reaches_every_parameter(family, name):
    space = PLANE if name == "points" else TINY
    model = build(family, space)
    x, y = toy_data(space)
    if family == "distilled":
        model.learn_from(build("diffusion", space).network, 1.5, 2, 2)
    for player in model.players():
        # a last layer of zeros hides the layers before it, so look after one small step away from it
        for p in model.parameters():
            p.data += 0.02 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1))
        loss = model.loss(x[:256], y[:256], player)
        loss.backward()
        assert torch.isfinite(loss)
        for part, p in model.players()[player].named_parameters():
            assert p.grad is not None, part
            assert p.grad.abs().sum() > 0, part


@each_kind
def test_a_row_depends_on_its_seed_alone(toys, family, name):
    model, _ = toys.get(family, name)
    y = torch.tensor([0, 1, -1, 1, 0])
    together = model.sample(Noise([5, 6, 7, 8, 9]), y)
    alone = model.sample(Noise([7]), y[2:3])
    assert torch.allclose(together[2:3], alone, atol=2 / 255)
    shuffled = model.sample(Noise([9, 7, 5]), y[[4, 2, 0]])
    assert torch.allclose(shuffled, together[[4, 2, 0]], atol=2 / 255)
    assert not torch.allclose(together[0], together[4], atol=1e-3)


@each_kind
def test_training_lowers_the_loss(toys, family, name):
    _, losses = toys.get(family, name)
    assert losses[-1] < losses[0]


@each_kind
def test_saved_and_loaded_it_draws_the_same(toys, family, name, tmp_path):
    model, _ = toys.get(family, name)
    save_file(model.state_dict(), tmp_path / "m.safetensors")
    again = build(family, model.space)
    again.load_state_dict(load_file(tmp_path / "m.safetensors"))
    again.eval()
    assert torch.equal(model.sample(Noise([1, 2])), again.sample(Noise([1, 2])))


@each_kind
def test_samples_live_in_the_space_and_the_film_ends_with_them(toys, family, name):
    model, _ = toys.get(family, name)
    x = model.sample(Noise(range(20)), torch.arange(20) % 2)
    model.space.check(x)
    frames = list(model.trace(Noise(range(20)), torch.arange(20) % 2))
    assert torch.equal(frames[-1].x, x)
    assert all(frame.note for frame in frames)


@each_kind
def test_samples_resemble_the_data(toys, family, name):
    """Per class, 400 samples are nearer to its data than to the other's, and much nearer than its mean alone would be: a toy that knows two
    modes of each class, or one, fails."""
    model, _ = toys.get(family, name)
    x, y = toy_data(model.space)
    for label in (0, 1):
        settings = model.Settings(temperature=1.0, **(SLOW.get(family, {})))
        drawn = model.sample(Noise(range(400)), torch.full((400,), label), settings)
        data, other = (x[y == which][:400] for which in (label, 1 - label))
        collapsed = energy_distance(data.mean(0, keepdim=True).expand_as(data), data)
        far = energy_distance(drawn, data)
        assert far < energy_distance(drawn, other)
        inside = family == "vae" and name == "points"  # it draws means without noise, and so inside the moons
        assert far < (0.6 if inside else 0.5) * collapsed


@each_kind
def test_wrong_labels_and_settings_are_refused(toys, family, name):
    model, _ = toys.get(family, name)
    with pytest.raises(ValueError, match="labels"):
        model.sample(Noise([1]), torch.tensor([2]))
    with pytest.raises(ValueError, match="labels"):
        model.sample(Noise([1]), torch.tensor([0.5]))
    for bad in (float("nan"), float("inf"), -1, 1e9, "much", None, True):
        with pytest.raises(ValueError, match="Temperature: expected a number"):
            model.Settings(temperature=bad)


@each_restoring
def test_restoring_keeps_what_was_seen(toys, family, away):
    model, _ = toys.get(family, "pixels")
    x, y = toy_data(TINY)
    seen = away(x[:8])
    answer = last(model.restore(seen, away, Noise(range(8)), y[:8])).x
    assert answer.shape == x[:8].shape
    assert (away(answer) - seen).abs().max() < 1 / 255
    other = last(model.restore(seen, away, Noise(range(50, 58)), y[:8])).x
    assert (answer - other).abs().max() > 0.02  # another seed, another answer


@pytest.mark.parametrize("family", ["mixture", "vae", "diffusion"])
def test_nonsense_measurements_are_refused(toys, family):
    model, _ = toys.get(family, "pixels")
    seen = torch.rand(2, 1, 2, 2)
    for bad in (seen[:1], torch.rand(2, 1, 4, 4), seen * float("nan")):
        with pytest.raises(ValueError, match="expected what was seen as finite numbers of shape"):
            last(model.restore(bad, Shrink(2), Noise([1, 2])))
    for bad in (255 * seen, seen - 3):
        with pytest.raises(ValueError, match=r"expected what was seen of pixels in \[0, 1\]"):
            last(model.restore(bad, Shrink(2), Noise([1, 2])))
    with pytest.raises(ValueError, match="expected such a measurement|expected pictures of 3 colours"):
        last(model.restore(seen, Grey(), Noise([1, 2])))
    with pytest.raises(ValueError, match="which does not fit"):
        last(model.restore(torch.rand(2, 1, 4, 4), Hide(torch.ones(1, 3, 3, dtype=torch.bool)), Noise([1, 2])))


@pytest.mark.parametrize("family", ["vae", "diffusion", "flow", "gan"])
def test_nonsense_codes_are_refused(toys, family):
    model, _ = toys.get(family, "pixels")
    z = model.encode(torch.rand(2, 1, 4, 4))
    for bad in (z[..., :-1], z * float("nan")):
        with pytest.raises(ValueError, match="expected finite latents of shape"):
            model.decode(bad)


def test_seeds_are_whole_numbers_of_any_kind():
    import numpy as np

    same = [Noise(kind).normal(3) for kind in ([4, 5], (4.0, 5.0), range(4, 6), np.arange(4, 6), torch.arange(4, 6))]
    assert all(torch.equal(one, same[0]) for one in same)
    for bad in ([], [-1], [2**32], [1.5], [True], ["7"], [float("nan")], [None]):
        with pytest.raises(ValueError, match="expected"):
            Noise(bad)


@each_restoring
def test_an_answer_is_the_same_alone_and_beside_others(toys, family, away):
    """Whatever the neighbours are, and whether they came with a label or without."""
    model, _ = toys.get(family, "pixels")
    x, y = toy_data(TINY)
    seen, labels = away(x[:3]), torch.tensor([0, -1, 1])
    together = last(model.restore(seen, away, Noise([4, 5, 6]), labels)).x
    for i in range(3):
        alone = last(model.restore(seen[i : i + 1], away, Noise([4 + i]), labels[i : i + 1])).x
        assert torch.allclose(alone, together[i : i + 1], atol=2 / 255), i


@pytest.mark.parametrize(
    "family", ["mixture", "vae", "diffusion", "autoregressive", "any_order", "flow", "energy", "rbm", "dbn", "dbm", "gflownet"]
)
def test_the_likely_class_is_the_true_one(toys, family):
    """log p(x | y) is higher for the right label: Bayes' rule reads the toy pictures."""
    model, _ = toys.get(family, "pixels")
    x, y = toy_data(TINY)
    x, y = x[:200], y[:200]
    right, wrong = model.log_prob(x, y), model.log_prob(x, 1 - y)
    assert torch.isfinite(right).all()
    assert (right > wrong).float().mean() > 0.8


@pytest.mark.parametrize("family", ["mixture", "diffusion", "autoregressive", "flow"])
def test_a_density_on_the_plane_integrates_to_one(toys, family):
    model, _ = toys.get(family, "points")
    axis = torch.linspace(-3, 3, 61)
    grid = torch.cartesian_prod(axis, axis)
    options = {"steps": 24} if family == "diffusion" else {}
    total = model.log_prob(grid, torch.zeros(len(grid), dtype=torch.long), **options).exp().sum() * 0.1**2
    assert total.item() == pytest.approx(1, abs=0.06)


def test_encode_and_decode_are_inverse_for_diffusion(toys):
    model, _ = toys.get("diffusion", "points")
    z = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    x = model.decode(z, steps=80)
    assert (model.encode(x, steps=80) - z).abs().median() < 0.1


@each_kind
def test_a_receipt_counts_the_evaluations_of_any_family(toys, family, name):
    from dgm_models import weights
    from dgm_models.applications.receipt import measured
    from dgm_models.catalog import Loaded

    model, _ = toys.get(family, name)
    with measured(Loaded(model, weights.Source("embedded", "0", 0), 1), family, 0, 3) as receipt:
        model.sample(Noise(range(3)), torch.tensor([0, 1, -1]))
    assert (receipt.evaluations > 0) == (family != "mixture")


@each_kind
def test_what_python_users_pass_is_cast_or_refused_in_a_sentence(toys, family, name):
    """Arrays and double precision say the same as float32; an empty batch, one element alone and words are refused by name."""
    model, _ = toys.get(family, name)
    x, y = toy_data(model.space)
    x, y = x[:3], y[:3]
    codes = model.encode(x, y) if hasattr(model, "encode") else None
    for verb, given in (("log_prob", x), ("encode", x), ("decode", codes)):
        if not hasattr(model, verb) or given is None:
            continue
        ask = getattr(model, verb)
        wanted = ask(given, y)
        for same in (given.double(), given.numpy(), given.double().numpy()):
            assert torch.allclose(ask(same, y).float(), wanted.float(), atol=1e-5), verb
        with pytest.raises(ValueError, match="expected a batch of at least one element"):
            ask(given[:0], y[:0])
        with pytest.raises(ValueError, match="expected a tensor or an array of numbers|expected a batch"):
            ask("digits", y)
    if hasattr(model, "log_prob"):
        with pytest.raises(ValueError, match=r"expected a batch .* one element needs a dimension more, x\[None\]"):
            model.log_prob(x[0], y[:1])


@each_kind
def test_with_another_default_precision_the_same_is_drawn(toys, family, name):
    model, _ = toys.get(family, name)
    y = torch.tensor([0, 1, -1])
    wanted = model.sample(Noise([1, 2, 3]), y)
    torch.set_default_dtype(torch.float64)
    try:
        drawn = model.sample(Noise([1, 2, 3]), y)
    finally:
        torch.set_default_dtype(torch.float32)
    assert drawn.dtype == torch.float32
    assert (drawn - wanted).abs().max() < 2 / 255
