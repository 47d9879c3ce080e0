"""Scalar energies: half the squared distance between x and what a network makes of it (Hurault et al., 2022)."""

from __future__ import annotations

from torch import Tensor, nn

from dgm_models.networks.mlp import MLP
from dgm_models.networks.residual import PatchUNet

OFFSET = 0.25  # keeps the scale of an empty picture away from 0


class Distance(nn.Module):
    """(n, *shape), labels (n,) -> (n,): |x - scale * inner(x / scale, log scale, labels)|^2 / 2, scale the root mean square of x."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        scale = (x.flatten(1).square().mean(1) + OFFSET).sqrt()
        wide = scale.view(-1, *[1] * (x.dim() - 1))
        return (x - wide * self.inner(x / wide, scale.log()[:, None], y)).square().flatten(1).sum(1) / 2


class EnergyUNet(Distance):
    """For pictures (n, channels, h, w)."""

    def __init__(self, channels: int = 1, width: int = 48, fine: int = 1, coarse: int = 2, classes: int = 0) -> None:
        super().__init__(PatchUNet(channels, channels, width=width, fine=fine, coarse=coarse, classes=classes, smooth=True))
        self.colours, self.divides = channels, 4


class EnergyMLP(Distance):
    """For points (n, size)."""

    def __init__(self, size: int, width: int = 64, depth: int = 3, classes: int = 0) -> None:
        super().__init__(MLP(size, size, width=width, depth=depth, classes=classes))
