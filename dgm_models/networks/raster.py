"""Logits of each pixel from the pixels before it, in raster order: in parallel for training, from caches for sampling.

Three views of what came before are added up: convolutions over the rows above (the vertical stack of van den Oord et al.,
2016), a recurrent summary of whole rows with the count of each grey level so far, and a window of the pixels at the left. A plan of
the whole picture is added, one a label. A perceptron, alone in each pixel, makes logits of the sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Prefix:
    """What sampling remembers: the levels so far, the number of them, and caches; every tensor has its rows first."""

    y: Tensor
    levels: Tensor
    at: int = 0
    cache: dict[str, Tensor] = field(default_factory=dict)

    def rows(self, index: Tensor) -> Prefix:
        """The prefixes of a selection of rows, index (m,)."""
        return Prefix(self.y[index], self.levels[index], self.at, {name: kept[index] for name, kept in self.cache.items()})


class Causal(nn.Module):
    """What an autoregressive network answers; without caches, so that each prediction looks at everything again."""

    shape: tuple[int, ...]

    def begin(self, y: Tensor) -> Prefix:
        """No element yet, for each label of y (n,)."""
        return Prefix(y, torch.zeros((len(y), math.prod(self.shape)), dtype=torch.long))

    def predict(self, prefix: Prefix) -> Tensor:
        """Logits of the next element, (n, levels)."""
        return self(prefix.levels.view(-1, *self.shape), prefix.y, torch.full((len(prefix.y), 1), prefix.at))[:, 0]

    def read(self, prefix: Prefix, levels: Tensor) -> None:
        """The first elements are these, (n, k)."""
        for level in levels.unbind(1):
            self.predict(prefix)
            self.append(prefix, level)

    def append(self, prefix: Prefix, level: Tensor) -> None:
        """The next element is `level`, (n,)."""
        prefix.levels[:, prefix.at] = level
        prefix.at += 1


def describe_levels(levels: int) -> Tensor:
    """Fixed numbers that tell grey levels apart, coarsely and to the last bit: (levels, 15)."""
    value = torch.linspace(0, 1, levels)
    angles = value[:, None] * math.pi * 2.0 ** torch.arange(6)
    flags = torch.stack([2 * value - 1, (value == 0).float(), (value > 0.98).float()], dim=1)
    return torch.cat([flags, angles.sin(), angles.cos()], dim=1)


def told(table: Tensor, levels: Tensor, known: Tensor) -> Tensor:
    """Features of the levels where they are known, zeros elsewhere, and which are not: (n, features + 1, *levels.shape[1:])."""
    features = table[levels] * known[..., None]
    return torch.cat([features, (~known)[..., None].to(features.dtype)], dim=-1).movedim(-1, 1)


class ChannelNorm(nn.Module):
    """Root-mean-square normalization over channels alone (dim 1): no position may hear of another."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, h: Tensor) -> Tensor:
        gain = self.gain.view(-1, *[1] * (h.dim() - 2))
        return h * torch.rsqrt(h.square().mean(1, keepdim=True) + 1e-6) * gain


class RowBlock(nn.Module):
    """A convolution that sees its own row and the one before it, beside the identity; rows above come as they were cached."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm, self.dropout = ChannelNorm(width), nn.Dropout(dropout)
        self.look, self.mix = nn.Conv2d(width, width, (2, 3), padding=(0, 1)), nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, h: Tensor, before: Tensor) -> Tensor:
        """(n, width, rows, columns) and the row before the first, (n, width, 1, columns) -> like h."""
        seen = F.silu(self.norm(torch.cat([before, h], dim=2)))
        return h + self.mix(self.dropout(F.silu(self.look(seen))))


class PixelBlock(nn.Module):
    """Two linear maps beside the identity, (m, width) -> (m, width)."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm, self.dropout = ChannelNorm(width), nn.Dropout(dropout)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.down(self.dropout(F.silu(self.up(self.norm(h)))))


class RasterNet(Causal):
    """Levels (n, c, h, w), labels (n,) (the last index: none) -> logits (n, positions, levels) of each pixel given those before.

    The planes of colours follow each other: they are taken as one picture that is so much higher.
    """

    LOOK = 3  # rows above that the first convolution sees

    def __init__(
        self,
        shape: tuple[int, int, int],
        levels: int = 256,
        classes: int = 0,
        width: int = 128,
        above: int = 96,
        rows: int = 4,
        depth: int = 3,
        window: int = 6,
        memory: int = 128,
        plan: int = 16,
        dropout: float = 0.0,
    ) -> None:
        """plan: features a pixel that are learned for each label, whatever came before: where its strokes tend to be. dropout: of
        hidden features, while training; a long training without it learns digits by heart."""
        super().__init__()
        self.shape, self.levels, self.window = tuple(shape), levels, window
        planes, height, across = self.shape
        height *= planes
        table = describe_levels(levels)
        self.register_buffer("table", table, persistent=False)
        self.features = table.shape[1]
        self.label = nn.Embedding(classes + 1, memory)
        self.row, self.count = nn.Linear(across * self.features, memory), nn.Linear(levels, memory, bias=False)
        self.memory = nn.GRU(memory, memory, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.spread = nn.Linear(2 * memory, above)
        self.place = nn.Parameter(0.02 * torch.randn(above, height, across // 2))
        self.enter = nn.Conv2d(2 * self.features, above, (self.LOOK, 3), padding=(0, 1))
        self.blocks = nn.ModuleList(RowBlock(above, dropout) for _ in range(rows))
        self.norm = ChannelNorm(above)
        self.leave = nn.Conv2d(above, 2 * width, 1)
        self.plan = nn.Parameter(0.1 * torch.randn(classes + 1, plan, height, across // 2))
        self.show = nn.Conv2d(plan, 2 * width, 1, bias=False)
        self.beside = nn.Linear((window + 1) * self.features, width)
        self.pixels = nn.ModuleList(PixelBlock(width, dropout) for _ in range(depth))
        self.head_norm, self.head = ChannelNorm(width), nn.Linear(width, levels)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The part that runs once for each pixel that is predicted: what a receipt counts."""
        return (self.head,)

    # in parallel ------------------------------------------------------------------------------------------------------

    def forward(self, levels: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        """Logits at the positions `at` (n, k), in raster order, or at all of them."""
        rows = levels.flatten(1, 2)
        hit = F.one_hot(rows, self.levels).to(self.table.dtype).sum(2)  # how often each level is in each row
        return self.look(self.table[rows], hit, y, at)

    def look(self, features: Tensor, hit: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        """`forward` from the features of the levels (n, h, w, features) and the count of each level in each row (n, h, levels)."""
        n, height, across, _ = features.shape
        prior = F.pad(features, (0, 0, 0, 0, self.LOOK, 0))[:, :-1]
        counts = torch.log1p(F.pad(hit.cumsum(1), (0, 0, 1, 0))[:, :-1])
        first = features.new_zeros(n, self.place.shape[0], 1, across // 2)
        above = self.look_above(prior, counts, y, 0, None, [first] * len(self.blocks))[0]
        padded = F.pad(features, (0, 0, self.window, 0))[:, :, :-1]
        left = padded.unfold(2, self.window, 1).flatten(3)
        so_far = (features.cumsum(2) - features) / across
        above, left = above.flatten(1, 2), torch.cat([left, so_far], dim=3).flatten(1, 2)
        if at is not None:
            flat = (at + height * across * torch.arange(n, device=at.device)[:, None]).flatten()
            above, left = above.flatten(0, 1)[flat], left.flatten(0, 1)[flat]
        return self.finish(above.flatten(0, -2), left.flatten(0, -2)).view(n, -1, self.levels)

    def look_above(
        self, prior: Tensor, counts: Tensor, y: Tensor, start: int, memory: Tensor | None, before: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """What the rows above, and the plan of the label, tell rows start, start + 1, ...: (n, rows, w, width), then the caches for
        the row after them.

        prior: features of the rows from start - LOOK to one before the last, (n, rows + LOOK - 1, w, features).
        """
        n, rows = counts.shape[:2]
        told = self.label(y)[:, None].expand(-1, rows, -1)
        summary, memory = self.memory(self.row(prior[:, self.LOOK - 1 :].flatten(2)) + self.count(counts) + told, memory)
        pairs = prior.reshape(n, rows + self.LOOK - 1, -1, 2 * self.features).permute(0, 3, 1, 2)
        h = self.enter(pairs) + self.place[:, start : start + rows]
        h = h + self.spread(self.dropout(torch.cat([summary, told], dim=2))).transpose(1, 2)[..., None]
        after = []
        for block, row in zip(self.blocks, before, strict=True):
            after.append(h[:, :, -1:])
            h = block(h, row)
        out = self.leave(F.silu(self.norm(h))) + self.show(self.plan[y][:, :, start : start + rows])
        return out.view(n, 2, -1, rows, out.shape[3]).permute(0, 3, 4, 1, 2).reshape(n, rows, 2 * out.shape[3], -1), memory, after

    def finish(self, above: Tensor, left: Tensor) -> Tensor:
        """(m, width), (m, features at the left) -> logits (m, levels)."""
        h = above + self.beside(left)
        for block in self.pixels:
            h = block(h)
        return self.head(F.silu(self.head_norm(h)))

    # one pixel at a time ----------------------------------------------------------------------------------------------

    def begin(self, y: Tensor) -> Prefix:
        n, across = len(y), self.shape[2]
        prefix, blank = super().begin(y), torch.zeros(n, self.place.shape[0], 1, across // 2)
        prefix.cache = {
            "prior": torch.zeros(n, self.LOOK, across, self.features),
            "left": torch.zeros(n, self.window + across, self.features),
            "so_far": torch.zeros(n, self.features),
            "counts": torch.zeros(n, self.levels),
            "memory": torch.zeros(n, self.memory.hidden_size),
            **{f"before {i}": blank for i in range(len(self.blocks))},
        }
        return prefix

    def predict(self, prefix: Prefix) -> Tensor:
        cache, (row, column) = prefix.cache, divmod(prefix.at, self.shape[2])
        if column == 0:
            self._begin_row(cache, prefix.y, row)
        left = cache["left"][:, column : column + self.window].transpose(1, 2).flatten(1)
        return self.finish(cache["above"][:, column], torch.cat([left, cache["so_far"]], dim=1))

    def _begin_row(self, cache: dict[str, Tensor], y: Tensor, row: int) -> None:
        if row:
            done = cache["left"][:, self.window :]
            cache["prior"] = torch.cat([cache["prior"][:, 1:], done[:, None]], dim=1)
        before = [cache[f"before {i}"] for i in range(len(self.blocks))]
        counts = torch.log1p(cache["counts"])[:, None]
        above, memory, after = self.look_above(cache["prior"], counts, y, row, cache["memory"][None].contiguous(), before)
        cache |= {"above": above[:, 0], "memory": memory[0], **{f"before {i}": kept for i, kept in enumerate(after)}}
        cache |= {"left": torch.zeros_like(cache["left"]), "so_far": torch.zeros_like(cache["so_far"])}

    def append(self, prefix: Prefix, level: Tensor) -> None:
        column, told = prefix.at % self.shape[2], self.table[level]
        prefix.cache["left"][:, self.window + column] = told
        prefix.cache["so_far"] += told / self.shape[2]
        prefix.cache["counts"].scatter_add_(1, level[:, None], torch.ones(len(level), 1))
        super().append(prefix, level)


class CoordinateNet(Causal):
    """For points: a perceptron a coordinate, which sees the label and the coordinates before it."""

    def __init__(self, size: int, levels: int, width: int = 64, depth: int = 2, classes: int = 0) -> None:
        super().__init__()
        self.shape, self.levels = (size,), levels
        self.register_buffer("table", describe_levels(levels), persistent=False)
        self.label = nn.ModuleList(nn.Embedding(classes + 1, width) for _ in range(size))
        self.enter = nn.ModuleList(nn.Linear(i * self.table.shape[1], width) for i in range(1, size))
        self.layers = nn.ModuleList(nn.ModuleList(PixelBlock(width) for _ in range(depth)) for _ in range(size))
        self.head = nn.ModuleList(nn.Linear(width, levels) for _ in range(size))

    def forward(self, levels: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        """(n, size), (n,) -> (n, positions, levels)."""
        told, out = self.table[levels], []
        for i in range(self.shape[0]):
            h = self.label[i](y)
            if i:
                h = h + self.enter[i - 1](told[:, :i].flatten(1))
            for layer in self.layers[i]:
                h = layer(h)
            out.append(self.head[i](F.silu(h)))
        out = torch.stack(out, dim=1)
        return out if at is None else out.gather(1, at[..., None].expand(-1, -1, self.levels))
