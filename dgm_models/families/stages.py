"""The stages after the prior: a decoder makes a small picture of an embedding, upsamplers enlarge it (Ramesh et al., 2022: DALL-E 2,
sections 2.1 and 2.4)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from dgm_models.conditions import Embedding
from dgm_models.contracts import Frame, Noise
from dgm_models.families.contrastive import OnEmbeddings
from dgm_models.families.diffusion import Diffusion, DiffusionSettings
from dgm_models.measurements import Shrink, put_back_in_range
from dgm_models.spaces import Pixels

SHAKEN = 0.06  # of noise on a picture to be enlarged, at most, in training: a decoder's is not quite a real one


class Stage(OnEmbeddings):
    """Flow matching of pictures `side` wide given an embedding, (n, size) of length 1. It learns from large pictures, shrunk, whose
    embedding the encoder gives."""

    below = 0  # the side of the picture that it is given, where it is given one

    def __init__(self, network: nn.Module, space: Pixels, side: int = 16, size: int = 128, drop: float = 0.1) -> None:
        super().__init__()
        self.space, self.side, self.classes = space, side, 0
        self.given = Pixels(space.channels, side // 2) if self.below else None
        self.model = Diffusion(network, Pixels(space.channels, side), Embedding(size, self.given), drop)

    @property
    def network(self) -> nn.Module:
        return self.model.network

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Mean squared error of the velocity."""
        with torch.no_grad():
            z = self.encoder.look(self.space.to_signal(x))
        made = Shrink(x.shape[-1] // self.side)(x) if x.shape[-1] > self.side else x
        return self.model.loss(made, z if self.given is None else beside(shaken(Shrink(2)(made)), z))


class Decoder(Stage):
    """The first picture of an embedding, as small as can be read."""

    @torch.no_grad()
    def trace(self, noise: Noise, z: Tensor, settings: DiffusionSettings | None = None) -> Iterator[Frame]:
        """A film of draws of p(x | z), one a seed: (n, channels, side, side)."""
        yield from self.model.trace(noise, z, settings)


class Upsampler(Stage):
    """A picture of twice the sides, whose shrunken one is what it was given."""

    below = 2

    @torch.no_grad()
    def trace(self, noise: Noise, small: Tensor, z: Tensor, settings: DiffusionSettings | None = None) -> Iterator[Frame]:
        """A film of draws of p(x | small, z), one a seed, for pictures (n, channels, side / 2, side / 2) in [0, 1]."""
        for frame in self.model.trace(noise, beside(small, z), settings):
            guess = put_back_in_range(frame.guess, small, Shrink(2))
            yield frame._replace(x=guess if torch.equal(frame.x, frame.guess) else frame.x, guess=guess)


def beside(small: Tensor, z: Tensor) -> Tensor:
    """The condition of an upsampler, (n, pixels + size)."""
    return torch.cat([small.flatten(1), z], dim=1)


def shaken(x: Tensor) -> Tensor:
    """With a little noise, of a strength of its own in each picture, within [0, 1]."""
    strength = SHAKEN * torch.rand(len(x), 1, 1, 1, device=x.device)
    return (x + strength * torch.randn_like(x)).clamp(0, 1)
