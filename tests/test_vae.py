"""The VAE: the bound is a bound, more codes tighten it, and the pixel masses sum to one."""

from __future__ import annotations

import torch

from dgm_models.contracts import Noise
from tests.conftest import TINY, toy_data


def test_more_codes_tighten_the_bound(toys):
    model, _ = toys.get("vae", "pixels")
    x, y = toy_data(TINY)
    bounds = [model.log_prob(x[:200], y[:200], k=k).mean() for k in (1, 10, 300)]
    assert bounds[0] < bounds[1] < bounds[2]


def test_the_bound_lies_below_the_likelihood(toys):
    """log p(x) by plain Monte Carlo over the prior, 20,000 codes, against the ELBO of the same pictures."""
    model, _ = toys.get("vae", "pixels")
    x, y = toy_data(TINY)
    x, y = x[:6], y[:6]
    z = torch.randn(20_000, model.latent, generator=torch.Generator().manual_seed(0))
    for one, label in zip(x, y, strict=True):
        many = model.log_likelihood(one.expand(len(z), 1, 4, 4), z, label.expand(len(z)))
        exact = torch.logsumexp(many, 0) - torch.log(torch.tensor(len(z)))
        assert model.log_prob(one[None], label[None], k=1)[0] < exact + 0.5
        assert abs(model.log_prob(one[None], label[None], k=1000)[0] - exact) < 1.5


def test_each_pixel_has_masses_that_sum_to_one(toys):
    model, _ = toys.get("vae", "pixels")
    z, label = torch.zeros(256, model.latent), torch.zeros(256, dtype=torch.long)
    base = torch.full((256, 1, 4, 4), 0.2)
    base[:, 0, 1, 2] = torch.arange(256) / 255
    log_p = model.log_likelihood(base, z, label)
    rest = model.log_likelihood(base[:1], z[:1], label[:1])
    # p(this pixel = k) = p(picture with k) / p(rest); the rest is the same for all k
    shares = (log_p - torch.logsumexp(log_p, 0)).exp()
    assert torch.isclose(shares.sum(), torch.tensor(1.0))
    assert torch.isfinite(rest).all()


def test_drawn_pixels_have_the_mean_that_is_shown(toys):
    model, _ = toys.get("vae", "pixels")
    y = torch.zeros(3000, dtype=torch.long)
    drawn = model.sample(Noise(range(3000)), y, model.Settings(temperature=0.0, pixels="drawn"))
    mean = model.sample(Noise([0]), y[:1], model.Settings(temperature=0.0))
    assert (drawn.mean(0) - mean[0]).abs().max() < 0.06


def test_codes_carry_the_picture(toys):
    """Decoding the code of a picture is nearer to it than the best that knows only its class."""
    model, _ = toys.get("vae", "pixels")
    x, y = toy_data(TINY)
    again = model.decode(model.encode(x, y), y)
    means = torch.stack([x[y == label].mean(0) for label in (0, 1)])[y]
    assert (again - x).square().mean() < 0.7 * (means - x).square().mean()
