"""Gaussian mixtures: choose a component, then draw from its Gaussian. Everything about them is in closed form.

Each component is a factor analyser: x = mean + factors z + noise with z ~ N(0, I) and independent pixel noise, which is a
Gaussian whose covariance has low rank plus a diagonal (Ghahramani and Hinton, 1996). One mixture a class.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.measurements import Disjoint, put_back_in_range
from dgm_models.probability import LOG_2PI
from dgm_models.spaces import Space

CHUNK = 256  # pictures at a time: bounds the memory of (pictures, components, factors)


@dataclass(frozen=True)
class MixtureSettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the factors and of the pixel noise; 0: the mean")
    pixel_noise: float = knob(1.0, "Pixel noise", 0.0, 1.0, step=0.05, help="1: a sample of p(x); 0: the sample without its grain")
    without: int = knob(0, "Factors left out", 0, 8, step=1, advanced=True, help="the weakest so many of each component")


@dataclass(frozen=True)
class MixtureRestoring(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05)


class GaussianMixture(Family):
    """Class-conditional mixture of factor analysers, trained by expectation maximisation.

    `floor` is the least standard deviation of a pixel's own noise, on the scale of x.
    """

    Settings = MixtureSettings
    Restoring = MixtureRestoring
    restores = (Disjoint,)
    descends = False

    def __init__(self, space: Space, classes: int = 0, components: int = 20, factors: int = 8, floor: float = 0.02) -> None:
        super().__init__()
        self.space, self.condition, self.floor = space, Classes(classes), floor
        self.evidence = "lower bound" if space.discrete else "exact"
        rows, size = max(1, classes), space.size
        self.log_weights = nn.Parameter(torch.full((rows, components), -math.log(components)))
        self.means = nn.Parameter(torch.randn(rows, components, size))
        self.factors = nn.Parameter(0.1 * torch.randn(rows, components, size, factors))
        self.log_noise = nn.Parameter(torch.zeros(rows, components, size))  # log of the standard deviation

    # density ----------------------------------------------------------------------------------------------------------

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(x, component | class) in nats: (n, size) -> (n, classes, components), in double precision.

        For pictures, a lower bound for the mass of the 8-bit levels: the mean of log N over a pixel's bin is log N at its
        centre minus tr(inverse covariance) width^2 / 24 (Jensen's inequality).
        """
        out = []
        noise = self._variance()
        for row in range(len(self.means)):
            log_normal = gaussian_log_density(x.double(), self.means[row].double(), self.factors[row].double(), noise[row])
            if self.space.discrete:
                width = 1 / 255
                log_normal = log_normal + self.space.size * math.log(width)
                log_normal = log_normal - inverse_trace(self.factors[row].double(), noise[row]) * width**2 / 24
            out.append(log_normal + self.log_weights[row].double().log_softmax(0))
        return torch.stack(out, dim=1)

    def log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Nats, (n, *shape) -> (n,): exact for points, and for 8-bit pictures a tight lower bound (see `log_joint`)."""
        self.space.check(x)
        joint = torch.cat([self.log_joint(chunk) for chunk in x.flatten(1).split(CHUNK)])
        by_class = torch.logsumexp(joint, dim=2)
        y = self.labels(y, len(x))
        any_class = torch.logsumexp(by_class, dim=1) - math.log(len(self.means))
        return torch.where(y == self.classes, any_class, by_class.gather(1, y.clamp(max=len(self.means) - 1)[:, None])[:, 0]).float()

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Mean negative log-density a dimension, in nats."""
        return -self.log_prob(x, y).mean() / self.space.size

    def _variance(self) -> Tensor:
        return (2 * self.log_noise.double()).exp()

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: MixtureSettings | None = None) -> Iterator[Frame]:
        """The component's mean, then its factors one by one, the strongest first, then the pixel noise."""
        settings = settings or self.Settings()
        n, row = len(noise), self._draw_class(noise, self.labels(y, len(noise)))
        component = noise.choose(self.log_weights[row].exp())
        x, factors = self.means[row, component], self._by_strength(row, component)
        z = settings.temperature * noise.normal(factors.shape[-1])
        grain = settings.temperature * settings.pixel_noise * noise.normal(self.space.size)
        yield self._frame(x, "the mean of the component that was drawn")
        for i in range(max(0, factors.shape[-1] - settings.without)):
            x = x + factors[..., i] * z[:, i, None]
            yield self._frame(x, f"+ z{i + 1} times factor {i + 1}")
        x = x + grain * self.log_noise[row, component].exp()
        yield Frame(self.space.clamp(x.view(n, *self.space.shape)), "+ independent noise in each pixel")

    def _draw_class(self, noise: Noise, y: Tensor) -> Tensor:
        drawn = noise.choose(torch.ones(len(self.means)))
        return torch.where(y == self.classes, drawn, y.clamp(max=len(self.means) - 1))

    def _by_strength(self, row: Tensor, component: Tensor) -> Tensor:
        factors = self.factors[row, component]
        order = factors.square().sum(1).argsort(1, descending=True)
        return factors.gather(2, order[:, None].expand_as(factors))

    def _frame(self, x: Tensor, note: str) -> Frame:
        return Frame(self.space.clamp(x.view(-1, *self.space.shape)), note)

    # conditioning -----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Disjoint, noise: Noise, y: Tensor | None = None, settings: MixtureRestoring | None = None
    ) -> Iterator[Frame]:
        """Samples of p(x | seen, y), which is a mixture again: draw the component by its posterior, then condition its Gaussian.

        The Gaussian is conditioned by Matheron's rule: draw (x, its measurement) from the prior, then shift x by the
        gain times the misfit. Pixels are clamped to [0, 1] only at the end.
        """
        self.check_measurement(seen, measurement, noise)
        if measurement.rows(torch.tensor([0])) is not measurement:
            raise ValueError("the mixture looks at all pictures through one mask: expected it as (1, h, w)")
        settings = settings or self.Restoring()
        n, y = len(noise), self.labels(y, len(noise))
        rows, components, size, rank = self.factors.shape
        measured = MeasuredComponents(self, measurement)
        log_post = measured.log_evidence(seen) + self.log_weights.double().log_softmax(1).flatten()
        of_class = torch.arange(rows).repeat_interleave(components)
        log_post = log_post.masked_fill((y[:, None] != self.classes) & (y[:, None] != of_class), -math.inf)
        which = noise.choose(log_post.softmax(1))
        row, component = which // components, which % components
        mean, factors, std = self.means[row, component], self.factors[row, component], self.log_noise[row, component].exp()
        yield self._frame(mean, "the mean of the component drawn from p(component | seen)")
        z_mean, z_root = measured.posterior_of_z(seen, which)
        x = mean + (factors @ z_mean[..., None])[..., 0]
        yield self._frame(x, "its most likely factors, given what was seen")
        z = z_mean + settings.temperature * (z_root @ noise.normal(rank)[..., None])[..., 0]
        x = mean + (factors @ z[..., None])[..., 0]
        yield self._frame(x, "factors drawn from their posterior")
        grain = settings.temperature * std * noise.normal(size)
        x, variance = (x + grain).view(n, *self.space.shape), std.square().view(n, *self.space.shape)
        spread = measurement(variance)
        misfit = torch.where(spread > 0, (seen - measurement(x)) / spread.clamp_min(1e-12), 0.0)
        x = x + variance * measurement.pinv(misfit)
        yield Frame(put_back_in_range(x, seen, measurement), "+ pixel noise; what was seen in its place")

    # training ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def fit(self, x: Tensor, y: Tensor, *, steps: int, seed: int = 0) -> Iterator[tuple[int, float]]:
        """Expectation maximisation from a k-means start, all classes; yields (step, negative log-density a dimension in nats)."""
        data = self.space.read(x).flatten(1)
        groups = [data[y == row] for row in range(self.classes)] if self.classes else [data]
        generator = torch.Generator().manual_seed(seed)
        for row, points in enumerate(groups):
            self._start(row, points, generator)
        for step in range(1, steps + 1):
            total = sum(self._em_step(row, points) for row, points in enumerate(groups))
            yield step, -total / (len(data) * self.space.size)

    def _start(self, row: int, points: Tensor, generator: torch.Generator) -> None:
        """k-means for the means; the leading directions of each cluster for the factors."""
        components, rank = self.means.shape[1], self.factors.shape[-1]
        centres, member = k_means(points, components, generator)
        for k in range(components):
            own = points[member == k]
            own = own if len(own) > rank + 1 else points
            self.means[row, k] = centres[k]
            spread = own - centres[k]
            _, values, directions = torch.linalg.svd(spread[:1000], full_matrices=False)
            factors = directions[:rank].T * (values[:rank] / math.sqrt(len(own[:1000])))
            self.factors[row, k] = factors
            rest = (spread.square().mean(0) - factors.square().sum(1)).clamp_min(self.floor**2)
            self.log_noise[row, k] = 0.5 * rest.log()
            self.log_weights[row, k] = math.log(max(1, int((member == k).sum())) / len(points))

    def _em_step(self, row: int, points: Tensor) -> float:
        """One step (Ghahramani and Hinton, 1996, eqs. 3 to 6); returns the summed log-density before it."""
        noise = self._variance()[row]
        joint = torch.cat(
            [
                gaussian_log_density(chunk.double(), self.means[row].double(), self.factors[row].double(), noise)
                for chunk in points.split(4096)
            ]
        ) + self.log_weights[row].double().log_softmax(0)
        total = torch.logsumexp(joint, dim=1)
        responsible = (joint - total[:, None]).exp().float()
        for k in range(self.means.shape[1]):
            self._update(row, k, points, responsible[:, k])
        self.log_weights[row] = (responsible.sum(0) + 1e-3).log().log_softmax(0)
        return float(total.sum())

    def _update(self, row: int, k: int, points: Tensor, weight: Tensor) -> None:
        mass = weight.sum()
        if mass < self.factors.shape[-1] + 2:
            return  # too few pictures to say anything about a covariance: the component stays as it is
        factors, variance = self.factors[row, k], (2 * self.log_noise[row, k]).exp()
        kept = weight > 1e-4
        points, weight = points[kept], weight[kept]
        scaled = factors / variance[:, None]
        cov_z = torch.linalg.inv(torch.eye(factors.shape[-1]) + factors.T @ scaled)
        z = (points - self.means[row, k]) @ scaled @ cov_z
        ones = torch.ones(len(points), 1)
        z1 = torch.cat([z, ones], dim=1)
        moment = (z1 * weight[:, None]).T @ z1
        moment[:-1, :-1] += mass * cov_z
        cross = (points * weight[:, None]).T @ z1
        solved = torch.linalg.solve(moment + 1e-6 * mass * torch.eye(len(moment)), cross.T).T
        rest = ((points.square() * weight[:, None]).sum(0) - (solved * cross).sum(1)) / mass
        self.factors[row, k], self.means[row, k] = solved[:, :-1], solved[:, -1]
        self.log_noise[row, k] = 0.5 * rest.clamp_min(self.floor**2).log()


class MeasuredComponents:
    """Every component as it looks through a measurement: what `restore` needs of them, in double precision."""

    def __init__(self, model: GaussianMixture, measurement: Disjoint) -> None:
        shape, size = model.space.shape, model.space.size
        count, rank = model.means.shape[0] * model.means.shape[1], model.factors.shape[-1]
        seen_of = lambda pictures: measurement(pictures.reshape(-1, *shape)).flatten(1)  # noqa: E731
        self.mean = seen_of(model.means).double()
        pictures = model.factors.reshape(count, size, rank).permute(0, 2, 1)
        self.factors = seen_of(pictures).view(count, rank, -1).permute(0, 2, 1).double()
        variance = seen_of((2 * model.log_noise).exp()).double() * measurement.gain
        self.seen = variance[0] > 0  # the pixels that are measured at all
        self.mean, self.factors, self.variance = self.mean[:, self.seen], self.factors[:, self.seen], variance[:, self.seen]

    def log_evidence(self, seen: Tensor) -> Tensor:
        """log p(seen | component): (n, ...) -> (n, classes * components)."""
        return gaussian_log_density(seen.flatten(1)[:, self.seen].double(), self.mean, self.factors, self.variance)

    def posterior_of_z(self, seen: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """Mean (n, rank) and a root of the covariance (n, rank, rank) of p(z | seen, component)."""
        factors = self.factors[which]
        scaled = factors / self.variance[which][..., None]
        precision = torch.eye(factors.shape[-1], dtype=torch.float64) + factors.transpose(1, 2) @ scaled
        misfit = seen.flatten(1)[:, self.seen].double() - self.mean[which]
        mean = torch.linalg.solve(precision, scaled.transpose(1, 2) @ misfit[..., None])[..., 0]
        root = torch.linalg.inv(torch.linalg.cholesky(precision)).transpose(1, 2)
        return mean.float(), root.float()


def gaussian_log_density(x: Tensor, mean: Tensor, factors: Tensor, variance: Tensor) -> Tensor:
    """log N(x; mean_k, factors_k factors_k^T + diag(variance_k)) by Woodbury's identity.

    x (n, d), mean (k, d), factors (k, d, r), variance (k, d) -> (n, k).
    """
    scaled = factors / variance[..., None]
    inner = torch.eye(factors.shape[-1], dtype=x.dtype) + factors.transpose(1, 2) @ scaled
    root = torch.linalg.cholesky(inner)
    log_det = variance.log().sum(1) + 2 * root.diagonal(dim1=1, dim2=2).log().sum(1)
    precision = 1 / variance
    distance = x.square() @ precision.T - 2 * x @ (mean * precision).T + (mean.square() * precision).sum(1)
    projected = torch.einsum("nd,kdr->knr", x, scaled) - torch.einsum("kd,kdr->kr", mean, scaled)[:, None]
    explained = torch.linalg.solve_triangular(root, projected.transpose(1, 2), upper=False).square().sum(1)
    return -0.5 * (distance - explained.T + log_det + x.shape[1] * LOG_2PI)


def inverse_trace(factors: Tensor, variance: Tensor) -> Tensor:
    """Trace of the inverse covariance of each component, (k,)."""
    scaled = factors / variance[..., None]
    inner = torch.eye(factors.shape[-1], dtype=factors.dtype) + factors.transpose(1, 2) @ scaled
    lost = torch.linalg.solve(inner, scaled.transpose(1, 2) @ scaled)
    return (1 / variance).sum(1) - lost.diagonal(dim1=1, dim2=2).sum(1)


def k_means(points: Tensor, k: int, generator: torch.Generator, rounds: int = 15) -> tuple[Tensor, Tensor]:
    """Lloyd's algorithm from a k-means++ start: centres (k, d) and the centre of each point (n,)."""
    some = points[torch.randperm(len(points), generator=generator)[:4000]]
    centres = some[:1]
    for _ in range(k - 1):
        nearest = torch.cdist(some, centres).min(1).values.square()
        picked = torch.multinomial(nearest.clamp_min(1e-12), 1, generator=generator)
        centres = torch.cat([centres, some[picked]])
    for _ in range(rounds):
        member = torch.cdist(points, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, member, points)
        counts = torch.bincount(member, minlength=k)[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), centres)
    return centres, member
