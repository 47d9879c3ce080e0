"""Distances between sets of pictures, in features (never compare them with figures from other features)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AsTheyAre(nn.Module):
    """What torchmetrics asks for as a feature network, for features that were worked out before."""

    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.num_features = features.shape[1]

    def forward(self, features: Tensor) -> Tensor:
        return features


def frechet(real: Tensor, made: Tensor) -> float:
    """Frechet distance of Gaussians fitted to features (n, d) (Heusel et al., 2017), by torchmetrics."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    return float(_fill(FrechetInceptionDistance(feature=AsTheyAre(real)), real, made))


def kernel_distance(real: Tensor, made: Tensor) -> float:
    """Squared maximum mean discrepancy of features with a cubic kernel (Binkowski et al., 2018), mean of 20 subsets of 1,000."""
    from accelerate.utils import set_seed
    from torchmetrics.image.kid import KernelInceptionDistance

    set_seed(0)  # torchmetrics draws the subsets from the global stream
    return float(_fill(KernelInceptionDistance(feature=AsTheyAre(real), subsets=20, subset_size=1000), real, made)[0])


def _fill(metric: nn.Module, real: Tensor, made: Tensor) -> Tensor:
    metric.update(real, real=True)
    metric.update(made, real=False)
    return metric.compute()


def textures(x: Tensor, cells: int = 4) -> Tensor:
    """How strong edges are and which way they run, at two scales and in a grid of cells: (n, c, h, w) -> (n, 6 c cells^2).

    The root mean square of the coefficients of Haar's wavelet (Haar, 1910). A network that learned to tell digits apart learned to look
    past grain, and its features hardly move where noise lies on a digit; these do, and nothing was ever trained against them.
    """
    found = []
    for _ in range(2):
        a, b, c, d = x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]
        bands = torch.cat([a + b - c - d, a - b + c - d, a - b - c + d], dim=1) / 2
        found.append(F.adaptive_avg_pool2d(bands.square(), cells).sqrt().flatten(1))
        x = (a + b + c + d) / 4
    return torch.cat(found, dim=1)


def precision_recall(real: Tensor, made: Tensor, k: int = 5) -> dict[str, float]:
    """Improved precision and recall (Kynkaanniemi et al., 2019), density and coverage (Naeem et al., 2020).

    real, made: features (n, d); the k-th neighbour sets the radius of each point.
    """
    real_radius, made_radius = _kth(real, k), _kth(made, k)
    hits, density, covered, recalled = [], 0.0, [], []
    for chunk in made.split(1000):
        inside = torch.cdist(chunk, real) < real_radius
        hits.append(inside.any(1))
        density += float(inside.sum()) / k
    for chunk, radius in zip(real.split(1000), real_radius.split(1000), strict=True):
        distance = torch.cdist(chunk, made)
        covered.append(distance.min(1).values < radius)
        recalled.append((distance < made_radius).any(1))
    share = lambda parts: float(torch.cat(parts).float().mean())  # noqa: E731
    return {"precision": share(hits), "recall": share(recalled), "density": density / len(made), "coverage": share(covered)}


def _kth(points: Tensor, k: int) -> Tensor:
    return torch.cat([torch.cdist(chunk, points).topk(k + 1, largest=False).values[:, -1] for chunk in points.split(1000)])


def nearest(x: Tensor, others: Tensor) -> Tensor:
    """Euclidean distance of each picture to the nearest of others, (n,)."""
    others = others.flatten(1)
    return torch.cat([torch.cdist(chunk, others).min(1).values for chunk in x.flatten(1).split(250)])


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB for pixels in [0, 1], (n,)."""
    return -10 * (a - b).square().flatten(1).mean(1).clamp_min(1e-10).log10()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity with a Gaussian window of 11 (Wang et al., 2004, eq. 13), (n,)."""
    ramp = torch.exp(-0.5 * ((torch.arange(11) - 5) / 1.5) ** 2)
    window = (ramp[:, None] * ramp[None]) / ramp.sum() ** 2
    blur = lambda x: F.conv2d(x, window[None, None])  # noqa: E731
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, cov = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    similar = (2 * mean_a * mean_b + c1) * (2 * cov + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return similar.flatten(1).mean(1)


def calibration_ratio(answers: Tensor, truth: Tensor) -> float:
    """Variance of the draws over the squared error of their mean; 1 for samples of the true posterior.

    answers (draws, n, ...), truth (n, ...). With d draws the mean keeps 1/d of the variance, so the truth's squared error
    about it is expected to be (1 + 1/d) times the variance; the ratio corrects for that.
    """
    draws = len(answers)
    variance = answers.var(0, correction=1).sum()
    error = (answers.mean(0) - truth).square().sum()
    return float(variance * (1 + 1 / draws) / error) if error > 0 else math.inf
