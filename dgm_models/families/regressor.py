"""The regressor: the one picture of least squared error, E[x | seen]. Not a sample of anything, and that is its lesson."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dgm_models.contracts import Learner
from dgm_models.measurements import Hide, Linear, Shrink, put_back_in_range
from dgm_models.networks import fitted
from dgm_models.spaces import Space

FACTORS = (2, 4, 7)


class Regressor(Learner):
    """One network for pictures shrunk 2, 4 or 7 times and for hidden pixels.

    network(inputs (n, 2, h, w), scalars (n, 1), labels (n,)) -> (n, 1, h, w); the inputs are the pseudo-inverse of what was
    seen and the share of each pixel that was seen.
    """

    def __init__(self, network: nn.Module, space: Space) -> None:
        super().__init__()
        self.network, self.space, self.classes = fitted(network, space.shape), space, 0

    def forward(self, seen: Tensor, measurement: Linear) -> Tensor:
        """E[x | seen] in [0, 1], (n, *shape)."""
        return self._predict(measurement.pinv(seen), self._known(measurement, len(seen)))

    def _known(self, measurement: Linear, n: int) -> Tensor:
        ones = torch.ones((n, *self.space.shape))
        return measurement.pinv(measurement(ones)) * measurement.gain

    def _predict(self, inverse: Tensor, known: Tensor) -> Tensor:
        inputs = torch.cat([2 * inverse - 1, known], dim=1)
        scale = known.amin((1, 2, 3)).sqrt()[:, None] * 4
        labels = torch.zeros(len(inverse), dtype=torch.long, device=inverse.device)
        return inverse + self.network(inputs, scale, labels).float()

    @torch.no_grad()
    def restore(self, seen: Tensor, measurement: Linear) -> Tensor:
        """The prediction with what was seen put in its place, in [0, 1]."""
        return put_back_in_range(self(seen, measurement), seen, measurement)

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Mean squared error over random measurements: half of the batch hidden, the rest shrunk by each factor."""
        parts = x.chunk(2 * len(FACTORS))
        inverses, knowns = [], []
        for i, part in enumerate(parts):
            ways = [Shrink(f) for f in FACTORS]
            way = ways[i] if i < len(ways) else Hide(random_holes(len(part), part.shape[-1], part.device))
            inverses.append(way.pinv(way(part)))
            knowns.append(way.pinv(way(torch.ones_like(part))) * way.gain)
        inverse, known = torch.cat(inverses), torch.cat(knowns)
        return (self._predict(inverse, known) - x).square().mean()


def random_holes(n: int, side: int, device: torch.device, stream: torch.Generator | None = None) -> Tensor:
    """Masks, bool (n, 1, side, side), true where seen: a random box hidden in each, or everything outside one, or scattered pixels."""
    low = torch.rand(n, 2, device=device, generator=stream) * 0.6
    high = low + 0.25 + torch.rand(n, 2, device=device, generator=stream) * 0.5
    ramp = (torch.arange(side, device=device) + 0.5) / side
    rows = (ramp > low[:, :1]) & (ramp < high[:, :1])
    columns = (ramp > low[:, 1:]) & (ramp < high[:, 1:])
    box = rows[:, :, None] & columns[:, None, :]
    scattered = torch.rand(n, side, side, device=device, generator=stream) < torch.rand(n, 1, 1, device=device, generator=stream)
    kind = torch.rand(n, 1, 1, device=device, generator=stream)
    hidden = torch.where(kind < 0.6, box, torch.where(kind < 0.75, ~box, scattered))
    return ~hidden[:, None]
