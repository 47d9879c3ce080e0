"""A convolutional encoder and decoder of small pictures: folded to half their side, then a quarter, then a few numbers, and back."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.mlp import MLP
from dgm_models.networks.residual import Block


class Autoencoder(nn.Module):
    """encode: (n, c, side, side), labels -> (n, 2 latent); decode: (n, latent), labels -> (n, 3 mixtures c, side, side)."""

    def __init__(self, latent: int, side: int, width: int = 64, classes: int = 0, mixtures: int = 3, channels: int = 1) -> None:
        super().__init__()
        steer, wide, self.coarse = 64, 2 * width, side // 4
        self.shape = (channels, side, side)
        self.label = nn.Embedding(classes + 1, steer)
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.fine_in = nn.ModuleList(Block(width, steer) for _ in range(2))
        self.down = nn.Conv2d(width, wide, 3, stride=2, padding=1)
        self.coarse_in = nn.ModuleList(Block(wide, steer) for _ in range(2))
        self.to_latent = nn.Linear(wide * self.coarse**2, 2 * latent)
        self.from_latent = nn.Linear(latent + steer, wide * self.coarse**2)
        self.coarse_out = nn.ModuleList(Block(wide, steer) for _ in range(2))
        self.up = nn.Conv2d(wide, 4 * width, 3, padding=1)
        self.fine_out = nn.ModuleList(Block(width, steer) for _ in range(3))
        self.leave = nn.Conv2d(width, 3 * mixtures * channels * 4, 3, padding=1)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The parts whose calls count as evaluations of the network."""
        return self.to_latent, self.from_latent

    def encode(self, x: Tensor, y: Tensor) -> Tensor:
        label = self.label(y)
        h = self.enter(F.pixel_unshuffle(x, 2))
        for block in self.fine_in:
            h = block(h, label)
        h = self.down(h)
        for block in self.coarse_in:
            h = block(h, label)
        return self.to_latent(F.silu(h).flatten(1))

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        label = self.label(y)
        h = self.from_latent(torch.cat([z, label], dim=1)).view(len(z), -1, self.coarse, self.coarse)
        for block in self.coarse_out:
            h = block(h, label)
        h = F.pixel_shuffle(self.up(h), 2)
        for block in self.fine_out:
            h = block(h, label)
        return F.pixel_shuffle(self.leave(F.silu(h)), 2)


class PointAutoencoder(nn.Module):
    """The same for points: encode (n, size) -> (n, 2 latent); decode (n, latent) -> (n, 2 size)."""

    def __init__(self, size: int, latent: int, width: int = 64, classes: int = 0) -> None:
        super().__init__()
        self.encoder = MLP(size, 2 * latent, width=width, classes=classes)
        self.decoder = MLP(latent, 2 * size, width=width, classes=classes)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        return self.encoder, self.decoder

    def encode(self, x: Tensor, y: Tensor) -> Tensor:
        return self.encoder(x, x.new_zeros(len(x), 1), y)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        return self.decoder(z, z.new_zeros(len(z), 1), y)
