"""Priors of embeddings, p(z | text): which pictures a caption may have, as points of the sphere of a contrastive encoder (Ramesh et al.,
2022: DALL-E 2, section 2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import torch
from torch import Tensor, nn

from dgm_models.conditions import Embedding
from dgm_models.contracts import Family, Frame, Learner, Noise, Settings
from dgm_models.families.autoregressive import Autoregressive
from dgm_models.families.contrastive import OnEmbeddings, left_out, spelt
from dgm_models.families.diffusion import Diffusion
from dgm_models.networks.contrastive import Sphere
from dgm_models.spaces import Pixels, Reals


class Prior(OnEmbeddings):
    """A family of the coordinates of points of the sphere, given the embedding of a caption. It learns from pictures and captions through
    the encoder. Its coordinates are those of the encoder's `Sphere`."""

    inner: type[Family]
    borrows = MappingProxyType({"sphere.": "network.sphere."})

    def __init__(self, network: nn.Module, space: Pixels, size: int = 128, drop: float = 0.1) -> None:
        super().__init__()
        self.space, self.size, self.classes = space, size, 0
        self.model = self.inner(network, Reals((size,)), Embedding(size), drop=drop)
        self.sphere = Sphere(size)

    @property
    def network(self) -> nn.Module:
        return self.model.network

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        self.sphere.load_state_dict(teacher.network.sphere.state_dict())
        yield from super().lessons(teacher)

    @torch.no_grad()
    def trace(self, noise: Noise, text: Tensor, settings: Settings | None = None) -> Iterator[Frame]:
        """A film of draws, one a seed, for as many embeddings of captions, (n, size): points of the sphere."""
        for frame in self.model.trace(noise, text, settings):
            yield frame._replace(x=self.sphere.point(frame.x), guess=None if frame.guess is None else self.sphere.point(frame.guess))

    def loss(self, x: Tensor, y: Tensor, player: str = "model") -> Tensor:
        with torch.no_grad():
            seen = self.encoder.look(self.space.to_signal(x))
            heard = self.encoder.hear(spelt(left_out(y.cpu())).to(x.device))
        return self.model.loss(self.sphere.coordinates(seen), heard)


class DiffusionPrior(Prior):
    """Flow matching of the points."""

    inner = Diffusion


class AutoregressivePrior(Prior):
    """Coordinates cut into bins, one after another."""

    inner = Autoregressive
