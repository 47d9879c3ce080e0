"""Networks of coupling layers: each says how some elements of x are distributed, given those that the layers before it made."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.mlp import MLP
from dgm_models.networks.raster import describe_levels, told
from dgm_models.networks.residual import Attention, Block, fast_silu

PARITIES = ((0, 1), (1, 0), (1, 1))  # of row and column: what a scale adds to the coarser one, whose parity is (0, 0)


class Conditioner(nn.Module):
    """A grid of features (n, channels, side, side) -> (n, positions, out), with one look of every position at every other."""

    def __init__(self, channels: int, out: int, width: int, depth: int, classes: int) -> None:
        super().__init__()
        self.label = nn.Embedding(classes + 1, width)
        self.enter = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(width, width, fast_silu) for _ in range(depth))
        self.look = Attention(width)
        self.norm = nn.GroupNorm(8, width)
        self.wide, self.leave = nn.Conv2d(width, 2 * width, 1), nn.Conv2d(2 * width, out, 1)
        nn.init.normal_(self.leave.weight, std=0.02)

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        steer, h = self.label(y), self.enter(h)
        for i, block in enumerate(self.blocks):
            h = self.look(block(h, steer)) if i == len(self.blocks) // 2 else block(h, steer)
        return self.leave(fast_silu(self.wide(fast_silu(self.norm(h))))).flatten(2).transpose(1, 2)


class Recogniser(nn.Module):
    """Pictures in [-1, 1] and which pixels of them are seen, each (n, c, side, side) -> logits of their labels, (n, classes)."""

    def __init__(self, classes: int, width: int, channels: int = 1) -> None:
        super().__init__()
        self.enter = nn.Conv2d(8 * channels, width, 3, padding=1)
        self.early = nn.ModuleList(Block(width, 1, fast_silu) for _ in range(2))
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.late = Block(2 * width, 1, fast_silu)
        self.norm = nn.GroupNorm(8, 2 * width)
        self.leave = nn.Linear(2 * width * 16, classes)

    def forward(self, signal: Tensor, seen: Tensor) -> Tensor:
        always = signal.new_ones(len(signal), 1)  # what steers the blocks elsewhere: here, a constant
        h = self.enter(F.pixel_unshuffle(torch.cat([signal * seen, seen.to(signal.dtype)], dim=1), 2))
        for block in self.early:
            h = block(h, always)
        h = self.late(self.down(h), always)
        return self.leave(F.adaptive_avg_pool2d(fast_silu(self.norm(h)), 4).flatten(1))


class CoarseToFine(nn.Module):
    """Coupling layers over square pictures of 8-bit levels, (n, c, side, side): each scale doubles the one before it.

    `parts[i]` (k,) are the raster places that layer i makes. Of a grid of pixels 2^s apart, every other one in both directions
    belongs to the coarser scale; three layers add the rest, one parity each, so the last one has seen all eight neighbours. Colours
    follow each other, a layer each.
    """

    def __init__(
        self,
        side: int,
        levels: int = 256,
        classes: int = 0,
        widths: tuple[int, ...] = (64, 80, 48),
        depths: tuple[int, ...] = (4, 4, 3),
        first: int = 2,
        recogniser: int = 0,
        channels: int = 1,
    ) -> None:
        """widths and depths: of the finest scale, the next, and all that are coarser. first: side of the grid of the first layer.
        recogniser: width of the network that tells the labels of partly seen pictures; 0: none."""
        super().__init__()
        self.shape, self.side, self.levels = (channels, side, side), side, levels
        table = describe_levels(levels)
        self.register_buffer("table", table, persistent=False)
        features = channels * (table.shape[1] + 1)
        self.layers = nn.ModuleDict()
        self.parts: list[Tensor] = []
        self.scales: list[int] = []  # how far apart the pixels of the grid are that a layer completes
        self.folds: list[bool] = []  # whether it looks at the grid by squares of four, of which it makes one
        masks, known = [], torch.zeros(channels, side, side, dtype=torch.bool)
        apart = 2 ** max(0, math.ceil(math.log2(side / first)))
        fresh = known[0].clone()
        fresh[::apart, ::apart] = True
        while True:
            scale = min(apart.bit_length() - 1, len(widths) - 1)
            folds = math.ceil(side / apart) % 2 == 0 and bool(known.any())
            for plane in range(channels):
                conditioner = Conditioner(features * (4 if folds else 1), levels, widths[scale], depths[scale], classes)
                self.layers[f"layer_{len(self.parts)}"] = conditioner
                self.parts.append(fresh.flatten().nonzero()[:, 0] + plane * side**2)
                self.scales.append(apart)
                self.folds.append(folds)
                masks.append(known)
                known = known.clone()
                known[plane] |= fresh
            if known.all():
                break
            if known[:, ::apart, ::apart].all():
                apart //= 2
            down, across = next((d, a) for d, a in PARITIES if not known[:, d * apart :: 2 * apart, a * apart :: 2 * apart].all())
            fresh = torch.zeros_like(fresh)
            fresh[down * apart :: 2 * apart, across * apart :: 2 * apart] = True
        self.register_buffer("known", torch.stack(masks), persistent=False)
        self.recogniser = Recogniser(classes, recogniser, channels) if recogniser else None

    def shares(self) -> list[float]:
        """Which share of a training batch each layer is taught with: those of many pixels get enough from a third."""
        return [1 / 3 if len(part) > 40 else 1.0 for part in self.parts]

    def forward(self, levels: Tensor, y: Tensor, layer: int) -> Tensor:
        """Logits of the elements that a layer makes, given those before them: (n, len(parts[layer]), levels)."""
        apart, folds = self.scales[layer], self.folds[layer]
        grid = levels[:, :, ::apart, ::apart]
        known = self.known[layer, :, ::apart, ::apart].expand(len(levels), -1, -1, -1)
        h = told(self.table, grid, known).flatten(1, 2)
        logits = self.layers[f"layer_{layer}"](F.pixel_unshuffle(h, 2) if folds else h, y)
        if folds:
            return logits
        place, side = self.parts[layer] % self.side**2, h.shape[-1]
        return logits[:, (place // self.side // apart) * side + place % self.side // apart]


class CoupledCoordinates(nn.Module):
    """The same for points (n, size), cut into bins: a layer a coordinate."""

    def __init__(self, size: int, levels: int, classes: int = 0, width: int = 64) -> None:
        super().__init__()
        self.levels, self.parts, self.recogniser = levels, [torch.tensor([i]) for i in range(size)], None
        table = describe_levels(levels)
        self.register_buffer("table", table, persistent=False)
        self.layers = nn.ModuleList(MLP(size * (table.shape[1] + 1), levels, width=width, classes=classes) for _ in range(size))

    def shares(self) -> list[float]:
        return [1.0] * len(self.parts)

    def forward(self, levels: Tensor, y: Tensor, layer: int) -> Tensor:
        known = (torch.arange(levels.shape[1]) < layer).expand(len(levels), -1)
        h = told(self.table, levels, known).flatten(1)
        return self.layers[layer](h, torch.full((len(levels), 1), float(layer)), y)[:, None]
