"""The Gaussian mixture against scikit-learn and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture as Oracle

from dgm_models.contracts import Noise, last
from dgm_models.data import points
from dgm_models.families.gaussian_mixture import GaussianMixture, gaussian_log_density, inverse_trace
from dgm_models.measurements import Hide
from dgm_models.spaces import Pixels, Reals


def dense(mean, factors, variance):
    cov = factors @ factors.transpose(1, 2) + torch.diag_embed(variance)
    return torch.distributions.MultivariateNormal(mean, cov)


@pytest.fixture
def parts():
    g = torch.Generator().manual_seed(0)
    mean, factors = torch.randn(3, 6, generator=g).double(), torch.randn(3, 6, 2, generator=g).double()
    return mean, factors, torch.rand(3, 6, generator=g).double() + 0.1


def test_woodbury_agrees_with_the_dense_density(parts):
    x = torch.randn(20, 6, generator=torch.Generator().manual_seed(1)).double()
    assert torch.allclose(gaussian_log_density(x, *parts), dense(*parts).log_prob(x[:, None]), atol=1e-9)
    _, factors, variance = parts
    inverse = torch.linalg.inv(factors @ factors.transpose(1, 2) + torch.diag_embed(variance))
    assert torch.allclose(inverse_trace(factors, variance), inverse.diagonal(dim1=1, dim2=2).sum(1), atol=1e-9)


def test_em_finds_what_scikit_learn_finds():
    """With as many factors as dimensions each component is a full Gaussian."""
    x, _ = points.ring(3000, modes=3)
    ours = GaussianMixture(Reals((2,)), components=3, factors=2, floor=0.01)
    steps = [value for _, value in ours.fit(x, torch.zeros(len(x)), steps=200)]
    theirs = Oracle(3, random_state=0, n_init=3).fit(x.numpy())
    assert all(b <= a + 1e-5 for a, b in zip(steps, steps[1:], strict=False))
    assert ours.log_prob(x).mean().item() == pytest.approx(theirs.score(x.numpy()), abs=0.01)
    centres = ours.means[0].detach().numpy()
    assert np.abs(centres[:, None] - theirs.means_[None]).sum(2).min(1).max() < 0.05


def test_conditioning_agrees_with_the_formula():
    """One component, the second coordinate hidden: the textbook's conditional mean and variance."""
    model = GaussianMixture(Reals((1, 1, 2)), components=1, factors=1).requires_grad_(False)
    model.means[:] = torch.tensor([0.5, -0.2])
    model.factors[0, 0, :, 0] = torch.tensor([1.0, 0.8])
    model.log_noise[:] = torch.tensor([0.3, 0.5]).log()
    seen = torch.tensor([0.9, 0.0]).view(1, 1, 1, 2)
    mask = torch.tensor([True, False]).view(1, 1, 2)
    covariance = torch.tensor([[1 + 0.09, 0.8], [0.8, 0.64 + 0.25]])
    mean = -0.2 + 0.8 / covariance[0, 0] * (0.9 - 0.5)
    variance = covariance[1, 1] - 0.8**2 / covariance[0, 0]
    n = 20_000
    frames = list(model.restore(seen.expand(n, 1, 1, 2), Hide(mask), Noise(range(n))))
    assert frames[-1].note
    # before the pixels are clamped the draws are the conditional; undo the clamp by asking for the unclamped part
    inside = torch.distributions.Normal(mean, variance.sqrt())
    drawn = last(iter(frames)).x[:, 0, 0, 1]
    assert (drawn == 0).float().mean().item() == pytest.approx(inside.cdf(torch.tensor(0.0)).item(), abs=0.01)
    assert (drawn > 0.5).float().mean().item() == pytest.approx(1 - inside.cdf(torch.tensor(0.5)).item(), abs=0.01)


def test_the_bound_for_8_bit_pictures_is_one():
    """All 256^2 pictures of two pixels: the masses sum to at most 1, and nearly to 1."""
    model = GaussianMixture(Pixels(1, 1, 2), components=2, factors=1, floor=0.02).requires_grad_(False)
    model.means[:] = torch.tensor([[0.4, 0.5], [0.6, 0.3]])
    model.factors[:] = 0.05
    model.log_noise[:] = -3.0
    level = torch.arange(256) / 255
    pictures = torch.cartesian_prod(level, level).view(-1, 1, 1, 2)
    total = model.log_prob(pictures).double().exp().sum().item()
    assert 0.99 < total <= 1 + 1e-6
