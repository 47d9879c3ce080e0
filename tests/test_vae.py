"""The VAE: the bound is a bound, more codes tighten it, and the pixel masses sum to one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Noise
from dgm_models.families.vae import VAE
from dgm_models.probability import log_mean_exp
from dgm_models.spaces import Pixels
from dgm_models.training.loop import train
from tests.conftest import TINY, TinyAutoencoder, toy_data


def test_more_codes_tighten_the_bound(toys):
    model, _ = toys.get("vae", "pixels")
    x, y = toy_data(TINY)
    bounds = [model.log_prob(x[:200], y[:200], k=k).mean() for k in (1, 10, 300)]
    assert bounds[0] < bounds[1] < bounds[2]


def test_many_codes_come_near_the_likelihood(toys):
    """log p(x) by plain Monte Carlo over the prior, 50,000 codes, against the bound with 1,000 codes of the encoder."""
    model, _ = toys.get("vae", "pixels")
    x, y = toy_data(TINY)
    x, y = x[:8], y[:8]
    z = torch.randn(50_000, model.latent, generator=torch.Generator().manual_seed(0))
    exact = []
    for one, label in zip(x, y, strict=True):
        many = model.log_likelihood(one.expand(len(z), 1, 4, 4), z, label.expand(len(z)))
        exact.append(log_mean_exp(many))
    assert abs(model.log_prob(x, y, k=1000).mean() - torch.stack(exact).mean()) < 1


def test_a_fitted_prior_tightens_the_bound():
    """The mixture is fitted to the codes, so it gives them more mass than N(0, I) does; samples come from it."""
    x, y = toy_data(TINY)
    torch.manual_seed(0)
    model = VAE(TinyAutoencoder(TINY.shape, 3, 2), TINY, latent=3, condition=Classes(2), mixture=4)
    for _ in train(model, x, y, steps=600, batch=128, rate=3e-3, ema=0.98):
        pass
    model.requires_grad_(False)
    mixture, model.prior = model.prior, None
    plain = model.log_prob(x[:300], y[:300], k=20).mean()
    model.prior = mixture
    model.finish(x, y)
    assert model.log_prob(x[:300], y[:300], k=20).mean() > plain
    drawn = model.sample(Noise(range(300)), torch.zeros(300, dtype=torch.long))
    assert (drawn.mean(0) - x[y == 0].mean(0)).abs().max() < 0.15


class TwoPixels(nn.Module):
    """An encoder and a decoder of two pixels with random weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.outer = nn.Linear(2, 4), nn.Linear(2, 18)

    def encode(self, x: Tensor, y: Tensor) -> Tensor:
        return 0.3 * self.inner(x.flatten(1))

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        return self.outer(z).view(-1, 9, 1, 2)


def test_the_bound_sums_to_one_over_all_pictures():
    """Each single-code weight is an unbiased estimate of p(x), so the masses of all 256^2 pictures of two pixels sum to one."""
    model = VAE(TwoPixels(), Pixels(1, 1, 2), latent=2).requires_grad_(False)
    level = torch.arange(256) / 255
    pictures = torch.cartesian_prod(level, level).view(-1, 1, 1, 2)
    total = torch.cat([model.log_prob(some, k=4) for some in pictures.split(16384)]).double().exp().sum().item()
    assert total == pytest.approx(1, abs=0.03)


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
