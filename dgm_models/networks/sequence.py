"""An encoder and a decoder of short sequences, all of their places at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _blocks(width: int, depth: int) -> nn.Module:
    layer = nn.TransformerEncoderLayer(width, width // 32, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, depth, norm=nn.LayerNorm(width), enable_nested_tensor=False)


class SequenceAutoencoder(nn.Module):
    """encode: (n, length), labels -> (n, 2 latent); decode: (n, latent), labels -> logits (n, levels, length). Labels are not heard."""

    def __init__(self, latent: int, length: int, levels: int, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        self.shape = (length,)
        self.token, self.place = nn.Embedding(levels, width), nn.Parameter(0.1 * torch.randn(2, length, width))
        self.reads, self.to_latent = _blocks(width, depth), nn.Linear(length * width, 2 * latent)
        self.from_latent, self.writes = nn.Linear(latent, length * width), _blocks(width, depth)
        self.leave = nn.Linear(width, levels)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The parts whose calls count as evaluations of the network."""
        return self.to_latent, self.from_latent

    def encode(self, x: Tensor, y: Tensor) -> Tensor:
        return self.to_latent(self.reads(self.token(x) + self.place[0]).flatten(1))

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        h = self.from_latent(z).view(len(z), *self.place.shape[1:])
        return self.leave(self.writes(h + self.place[1])).transpose(1, 2)
