"""Priors of embeddings, p(z | text): which pictures a caption may have, as points of the sphere of a contrastive encoder (Ramesh et al.,
2022: DALL-E 2, section 2.2)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import Embedding
from dgm_models.contracts import Family, Frame, Learner, Noise, Settings
from dgm_models.families.autoregressive import Autoregressive
from dgm_models.families.contrastive import OnEmbeddings, left_out, spelt
from dgm_models.families.diffusion import Diffusion
from dgm_models.spaces import Pixels, Reals

MEASURED, PART = 5_000, 250  # pictures that axes are found of, and that are looked at at once
LEAST = 1e-3  # of the sphere's radius: along an axis where pictures differ by less, nothing is told apart


class Prior(OnEmbeddings):
    """A family of the coordinates of points of the sphere, given the embedding of a caption. It learns from pictures and captions through
    the encoder. Coordinates are along the axes along which pictures differ, the most first, each of variance 1."""

    inner: type[Family]

    def __init__(self, network: nn.Module, space: Pixels, size: int = 64, drop: float = 0.1) -> None:
        super().__init__()
        self.space, self.size, self.classes = space, size, 0
        self.model = self.inner(network, Reals((size,)), Embedding(size), drop=drop)
        self.register_buffer("middle", torch.zeros(size))
        self.register_buffer("axes", torch.eye(size))
        self.register_buffer("spread", torch.ones(size))
        self._some: Tensor | None = None

    @property
    def network(self) -> nn.Module:
        return self.model.network

    def observe(self, x: Tensor) -> None:
        """Keep some of the pictures, whose axes are found once the teacher is there."""
        self._some = x[:: max(1, len(x) // MEASURED)]

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        z = torch.cat([teacher.look(self.space.read(part)) for part in self._some.split(PART)])
        self._some = None
        self.middle.copy_(z.mean(0))
        _, spread, axes = torch.linalg.svd(z - self.middle, full_matrices=False)
        self.axes.copy_(axes.T)
        self.spread.copy_(spread.div(len(z) ** 0.5).clamp_min(LEAST))
        yield from super().lessons(teacher)

    def coordinates(self, z: Tensor) -> Tensor:
        """(n, size) of the sphere -> as the family has them."""
        return (z - self.middle) @ self.axes / self.spread

    def point(self, coordinates: Tensor) -> Tensor:
        """The inverse, on the sphere."""
        return F.normalize((coordinates * self.spread) @ self.axes.T + self.middle, dim=1)

    @torch.no_grad()
    def trace(self, noise: Noise, text: Tensor, settings: Settings | None = None) -> Iterator[Frame]:
        """A film of draws, one a seed, for as many embeddings of captions, (n, size): points of the sphere."""
        for frame in self.model.trace(noise, text, settings):
            yield frame._replace(x=self.point(frame.x), guess=None if frame.guess is None else self.point(frame.guess))

    def loss(self, x: Tensor, y: Tensor, player: str = "model") -> Tensor:
        with torch.no_grad():
            seen = self.encoder.look(self.space.to_signal(x))
            heard = self.encoder.hear(spelt(left_out(y.cpu())).to(x.device))
        return self.model.loss(self.coordinates(seen), heard)


class DiffusionPrior(Prior):
    """Flow matching of the points."""

    inner = Diffusion


class AutoregressivePrior(Prior):
    """Coordinates cut into bins, one after another."""

    inner = Autoregressive
