"""The measures: what they say of cases whose answer is known."""

from __future__ import annotations

import pytest
import torch

from dgm_models.evaluation import metrics

x = torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def normal(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_psnr_and_ssim_of_a_known_error():
    assert metrics.psnr(x, (x - 0.1)).mean().item() == pytest.approx(20, abs=1e-3)
    assert torch.allclose(metrics.ssim(x, x), torch.ones(20), atol=1e-5)
    assert metrics.ssim(x, 1 - x).max() < 0  # where one is bright the other is dark
    assert metrics.ssim(x, (x + 0.05 * normal(20, 784, 1).view_as(x))).mean() > 0.9


def test_precision_and_recall_tell_what_is_missing():
    """Real data on two heaps; one set draws both, one only the first, one lies elsewhere."""
    real = torch.cat([normal(600, 4, 0), normal(600, 4, 1) + 20])
    both = metrics.precision_recall(real, torch.cat([normal(600, 4, 2), normal(600, 4, 3) + 20]))
    assert min(both["precision"], both["recall"], both["coverage"]) > 0.9
    assert both["density"] == pytest.approx(1, abs=0.15)
    half = metrics.precision_recall(real, normal(1200, 4, 4))
    assert half["precision"] > 0.9
    assert half["recall"] == pytest.approx(0.5, abs=0.05)
    assert half["coverage"] == pytest.approx(0.5, abs=0.06)
    off = metrics.precision_recall(real, normal(1200, 4, 5) - 40)
    assert off == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


@pytest.mark.parametrize("scale", [1.0, 0.5, 2.0])
def test_the_calibration_ratio_of_a_true_posterior_is_one(scale):
    """Truth and draws from one Gaussian; draws with half or twice the spread are found out."""
    truth = normal(200, 50, 0)
    answers = scale * torch.stack([normal(200, 50, seed) for seed in range(1, 9)])
    true_ratio = scale**2 * (1 + 1 / 8) / (1 + scale**2 / 8)
    assert metrics.calibration_ratio(answers, truth) == pytest.approx(true_ratio, rel=0.05)
    assert (metrics.calibration_ratio(answers, truth) > 1.2) == (scale > 1)
    assert (metrics.calibration_ratio(answers, truth) < 0.8) == (scale < 1)


def test_nearest_finds_the_copy():
    others = torch.cat([x + 0.3, x[3:4]])
    assert metrics.nearest(x[3:4], others).item() == pytest.approx(0, abs=0.05)
    assert metrics.nearest(x[4:5], others).item() == pytest.approx(0.3 * 28, rel=0.01)


def test_the_frechet_distance_of_gaussians_is_that_of_the_textbook():
    """Means 1 apart in each of 5 features and twice the spread: 5 (1 + (2 - 1)^2)."""
    assert metrics.frechet(normal(20_000, 5, 0), 1 + 2 * normal(20_000, 5, 1)) == pytest.approx(10, rel=0.03)


def test_the_kernel_distance_of_one_distribution_is_none():
    assert metrics.kernel_distance(normal(3000, 5, 0), normal(3000, 5, 1)) == pytest.approx(0, abs=0.05)
    assert metrics.kernel_distance(normal(3000, 5, 0), 1 + normal(3000, 5, 1)) > 1


def test_textures_see_the_grain_and_the_blur_that_a_reader_looks_past():
    """Noise of a tenth leaves nearly every reading as it was, and is far further from test digits than other digits are."""
    from dgm_models.applications.restore import read
    from dgm_models.data import mnist

    x = mnist.pixels(mnist.test()[0])
    mixed = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))  # the first half of the file was written by other people
    real, other = x[mixed[:2000]], x[mixed[2000:4000]]
    grain = 0.1 * torch.randn(other.shape, generator=torch.Generator().manual_seed(0))
    floor = metrics.frechet(metrics.textures(real), metrics.textures(other))
    noisy, soft = (other + grain).clamp(0, 1), torch.nn.functional.avg_pool2d(other, 3, 1, 1)
    assert (read(noisy[:200]).argmax(1) == read(other[:200]).argmax(1)).float().mean() > 0.97
    for changed in (noisy, soft):
        assert metrics.frechet(metrics.textures(real), metrics.textures(changed)) > 5 * floor
    assert metrics.textures(torch.rand(2, 3, 32, 32)).shape == (2, 6 * 3 * 16)
