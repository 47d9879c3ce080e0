"""A flow of particles that is kept: at each step, along rotated axes, how far each place is moved."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SlicedTransport(nn.Module):
    """Steps of the sliced Wasserstein flow, one for each label, for any further particle (Pitié et al., 2007; Dai and Seljak, 2021).

    At each step space is rotated, and along every axis quantiles of the particles, (knots,), go a share of the way to those of the
    data; between knots the move is interpolated, and beyond the last it is that of the last.
    """

    def __init__(self, size: int, steps: int, knots: int = 24, classes: int = 0, share: float = 1.0) -> None:
        """size: dimensions. share: of the way to the data that is gone at each step."""
        super().__init__()
        self.size, self.count, self.knots, self.share = size, steps, knots, share
        kept = (steps, max(classes, 1), size, knots)
        self.register_buffer("axes", torch.eye(size).repeat(steps, 1, 1))  # rows are directions
        self.register_buffer("here", torch.linspace(-2, 2, knots).expand(kept).clone())
        self.register_buffer("move", torch.zeros(kept))

    def step(self, k: int, z: Tensor, y: Tensor) -> Tensor:
        """Particles (n, size) with labels (n,), a step on."""
        along = z @ self.axes[k].T
        return z + self.share * _interpolated(along, self.here[k][y], self.move[k][y]) @ self.axes[k]

    @torch.no_grad()
    def learn(self, data: Tensor, labels: Tensor, generator: torch.Generator, most: int = 6000) -> None:
        """Move as many particles from N(0, I) as there are data (n, size) with labels (n,), and keep every step."""
        level = (torch.arange(self.knots) + 0.5) / self.knots
        for label in range(self.here.shape[1]):
            goal = data[labels == label][:most]
            if not len(goal):
                raise ValueError(f"expected data of every label, got none of {label}")
            z = torch.randn(max(len(goal), 2000), self.size, generator=generator)
            for k in range(self.count):
                if label == 0:
                    self.axes[k] = torch.linalg.qr(torch.randn(self.size, self.size, generator=generator))[0]
                axes = self.axes[k]
                here, there = (torch.quantile(x @ axes.T, level, dim=0).T for x in (z, goal))
                self.here[k, label], self.move[k, label] = here, there - here
                z = self.step(k, z, torch.full((len(z),), label))


def _interpolated(at: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Piecewise linear values (n, d, k) over rising knots (n, d, k) at places (n, d); beyond the ends those of the ends."""
    above = (at[..., None] > knots).sum(-1).clamp(1, knots.shape[-1] - 1)[..., None]
    low, high = knots.gather(-1, above - 1), knots.gather(-1, above)
    share = ((at[..., None] - low) / (high - low).clamp_min(1e-6)).clamp(0, 1)
    return torch.lerp(values.gather(-1, above - 1), values.gather(-1, above), share)[..., 0]
