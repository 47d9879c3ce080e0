"""What sees a picture, what hears a caption, and both together (Radford et al., 2021)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.residual import Block


class Look(nn.Module):
    """Pictures as signals (n, channels, side, side), a side that 16 divides -> so many numbers of each, (n, out); it keeps where things
    are."""

    def __init__(self, channels: int, out: int, width: int = 64, fine: int = 1, coarse: int = 2, side: int = 64) -> None:
        super().__init__()
        self.enter = nn.Conv2d(16 * channels, width, 3, padding=1)
        self.fine = nn.ModuleList(Block(width, 1) for _ in range(fine))
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(Block(2 * width, 1) for _ in range(coarse))
        self.narrow = nn.Conv2d(2 * width, width, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(8, width)
        self.leave = nn.Linear(width * (side // 16) ** 2, out)

    def forward(self, x: Tensor) -> Tensor:
        nothing = x.new_zeros(len(x), 1)
        h = self.enter(F.pixel_unshuffle(x, 4))
        for block in self.fine:
            h = block(h, nothing)
        h = self.down(h)
        for block in self.coarse:
            h = block(h, nothing)
        return self.leave(F.silu(self.norm(self.narrow(F.silu(h)))).flatten(1))


class Hear(nn.Module):
    """Words by their numbers, (n, length), the last number where no more follow -> so many numbers of each text, (n, out): a transformer
    in which every word hears all others (Vaswani et al., 2017), and the mean of its words."""

    def __init__(self, words: int, length: int, out: int, width: int = 64, depth: int = 2) -> None:
        super().__init__()
        self.blank, self.token = words, nn.Embedding(words + 1, width)
        self.place = nn.Parameter(0.02 * torch.randn(length, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.leave = nn.Linear(width, out)

    def forward(self, words: Tensor) -> Tensor:
        none = words == self.blank
        h = self.layers(self.token(words) + self.place[: words.shape[1]], src_key_padding_mask=none)
        said = (~none)[..., None].to(h.dtype)
        return self.leave((h * said).sum(1) / said.sum(1).clamp_min(1))


class Sphere(nn.Module):
    """Coordinates of points of the unit sphere, (n, size): along the axes along which pictures differ, the most first, each of variance
    1."""

    least = 1e-3  # of the sphere's radius: along an axis where pictures differ by less, nothing is told apart

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(size))
        self.register_buffer("axes", torch.eye(size))
        self.register_buffer("spread", torch.ones(size))

    def measure(self, z: Tensor) -> None:
        """Find them, of pictures' points."""
        self.middle.copy_(z.mean(0))
        _, spread, axes = torch.linalg.svd(z - self.middle, full_matrices=False)
        self.axes.copy_(axes.T)
        self.spread.copy_(spread.div(len(z) ** 0.5).clamp_min(self.least))

    def coordinates(self, z: Tensor) -> Tensor:
        """(n, size) of the sphere -> (n, size)."""
        return (z - self.middle) @ self.axes / self.spread

    def point(self, coordinates: Tensor) -> Tensor:
        """The inverse, on the sphere."""
        return F.normalize((coordinates * self.spread) @ self.axes.T + self.middle, dim=1)


class Both(nn.Module):
    """Pictures and captions in one space: `look` and `hear` give points of the unit sphere, (n, size). `warmth`: log of what cosines are
    multiplied with; `sphere`: coordinates for who draws such points."""

    def __init__(
        self, words: int, length: int, channels: int = 3, side: int = 64, size: int = 128, width: int = 64, text_width: int = 64
    ) -> None:
        super().__init__()
        self.seen, self.heard = Look(channels, size, width, side=side), Hear(words, length, size, text_width)
        self.warmth, self.sphere = nn.Parameter(torch.tensor(2.5)), Sphere(size)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The parts whose calls a receipt counts."""
        return (self.seen, self.heard)

    def look(self, x: Tensor) -> Tensor:
        return F.normalize(self.seen(x).float(), dim=1)

    def hear(self, words: Tensor) -> Tensor:
        return F.normalize(self.heard(words).float(), dim=1)
