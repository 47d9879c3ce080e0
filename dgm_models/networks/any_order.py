"""Logits of hidden elements from those that are seen, whichever they are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.mlp import MLP
from dgm_models.networks.raster import describe_levels, told
from dgm_models.networks.residual import PatchUNet


class AnyOrderUNet(PatchUNet):
    """Levels (n, c, h, w), seen bool, like levels, labels (n,) -> logits (n, positions, levels)."""

    def __init__(
        self, levels: int = 256, width: int = 80, fine: int = 2, coarse: int = 3, classes: int = 0, head: int = 48, channels: int = 1
    ) -> None:
        table = describe_levels(levels)
        super().__init__(channels * (table.shape[1] + 1), channels * head, width=width, fine=fine, coarse=coarse, classes=classes)
        self.levels, self.colours, self.divides = levels, channels, 4
        self.register_buffer("table", table, persistent=False)
        self.wide, self.head = nn.Linear(head, 128), nn.Linear(128, levels)
        nn.init.normal_(self.leave.weight, std=0.02)

    def forward(self, levels: Tensor, seen: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        """Logits at the positions `at` (n, k), in raster order, or at all of them."""
        share = seen.flatten(1).float().mean(1, keepdim=True)
        h = super().forward(told(self.table, levels, seen).flatten(1, 2), torch.logit(share, eps=1e-3), y)
        h = h.unflatten(1, (-1, self.colours)).flatten(2).transpose(1, 2)
        if at is not None:
            h = h.gather(1, at[..., None].expand(-1, -1, h.shape[2]))
        return self.head(F.silu(self.wide(F.silu(h))))


class AnyOrderMLP(MLP):
    """The same for points: levels (n, size)."""

    def __init__(self, size: int, levels: int, width: int = 64, depth: int = 3, classes: int = 0) -> None:
        table = describe_levels(levels)
        super().__init__(size * (table.shape[1] + 1), size * levels, width=width, depth=depth, classes=classes)
        self.levels = levels
        self.register_buffer("table", table, persistent=False)

    def forward(self, levels: Tensor, seen: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        share = seen.float().mean(1, keepdim=True)
        out = super().forward(told(self.table, levels, seen).flatten(1), share, y).view(len(levels), -1, self.levels)
        return out if at is None else out.gather(1, at[..., None].expand(-1, -1, self.levels))
