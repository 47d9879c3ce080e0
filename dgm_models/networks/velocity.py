"""Networks that look at a noisy (x_t, t, label), for a velocity or a denoiser: the time enters as its logit, which is half the log-SNR."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.mlp import MLP
from dgm_models.networks.residual import PatchUNet

NEARLY = 0.1  # of the way from noise to data that is left, below which a velocity is no longer worked out from where it leads


class VelocityUNet(PatchUNet):
    """For pictures in [-1, 1]: (n, c, h, w), t (n,) in [0, 1], labels (n,) -> (n, c, h, w).

    With `given` planes the condition is no label but another picture of that many planes, (n, given, h, w), which is laid beside x_t; with
    `numbers` it is so many of those, (n, numbers).
    """

    views = 3

    def __init__(
        self,
        channels: int,
        width: int = 80,
        fine: int = 2,
        coarse: int = 3,
        classes: int = 0,
        given: int = 0,
        numbers: int = 0,
        patch: int = 2,
    ) -> None:
        sizes = {"width": width, "fine": fine, "coarse": coarse, "patch": patch}
        super().__init__(self.views * channels + given, channels, classes=classes, numbers=numbers, **sizes)
        self.colours, self.given, self.divides = channels, given, 2 * patch

    def begin_as(self, other: VelocityUNet) -> None:
        """Start from one of the same size that hears labels, where this one hears numbers that begin with the class."""
        told = {name: value for name, value in other.state_dict().items() if not name.startswith("condition.label.")}
        self.load_state_dict({**self.state_dict(), **told})
        self.condition.begin_as(other.condition.label)

    def split(self, x_t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Of a condition that is a picture, its planes as large as x_t, and what the network is steered with: here no label."""
        return y, torch.zeros(len(y), dtype=torch.long, device=y.device)

    def forward(self, x_t: Tensor, t: Tensor, y: Tensor) -> Tensor:
        # near the data a pixel moves by less than bf16 resolves: show it also in units of the noise, from black and from white
        alpha, sigma = t.view(-1, 1, 1, 1), (1 - t).clamp_min(1e-3).view(-1, 1, 1, 1)
        black, white = (x_t + alpha) / sigma, (x_t - alpha) / sigma
        views = torch.cat([x_t, black.clamp(-4, 4) / 2, white.clamp(-4, 4) / 2], dim=1)
        if self.given:
            planes, y = self.split(x_t, y)
            views = torch.cat([views, planes], dim=1)
        return super().forward(views, torch.logit(t, eps=1e-3)[:, None], y).float()


class VelocityDecoder(VelocityUNet):
    """For pictures of an embedding, (n, numbers): a perceptron spreads it out over the picture, in coarse planes that are laid beside x_t,
    for what it says is of places as well."""

    def __init__(
        self,
        channels: int,
        numbers: int,
        side: int = 16,
        width: int = 64,
        fine: int = 2,
        coarse: int = 2,
        patch: int = 1,
        planes: int = 16,
        hidden: int = 256,
    ) -> None:
        super().__init__(channels, width, fine, coarse, given=planes, numbers=numbers, patch=patch)
        layers = [nn.Linear(numbers, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, planes * (side // 2) ** 2)]
        self.spread = nn.Sequential(*layers, nn.Unflatten(1, (planes, side // 2, side // 2)))

    def split(self, x_t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return F.interpolate(self.spread(y), x_t.shape[2:], mode="bilinear", align_corners=False), y


class VelocityUpsampling(VelocityUNet):
    """For pictures of twice the sides of what they are enlarged from: its condition is that smaller picture, flattened, and so many numbers
    after it, (n, channels (h / 2) (w / 2) + numbers).

    It says what the finished picture has beside the smaller one, and the velocity follows from that: where a patch has more numbers than
    the network is wide, the noise in them would not pass through it."""

    def __init__(self, channels: int, numbers: int, width: int = 48, fine: int = 1, coarse: int = 2, patch: int = 2) -> None:
        super().__init__(channels, width, fine, coarse, given=channels, numbers=numbers, patch=patch)
        self.numbers = numbers

    def forward(self, x_t: Tensor, t: Tensor, y: Tensor) -> Tensor:
        left = (1 - t).clamp_min(NEARLY).view(-1, 1, 1, 1)
        return (self.split(x_t, y)[0] + super().forward(x_t, t, y) - x_t) / left

    def split(self, x_t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        small, numbers = y[:, : -self.numbers], y[:, -self.numbers :]
        small = small.view(len(y), self.colours, x_t.shape[2] // 2, x_t.shape[3] // 2)
        return F.interpolate(small, scale_factor=2, mode="nearest"), numbers


class VelocityMLP(MLP):
    """For points: (n, size), t (n,) in [0, 1], labels (n,) or so many numbers in their place, (n, numbers) -> (n, outputs size)."""

    def __init__(self, size: int, width: int = 64, depth: int = 3, classes: int = 0, outputs: int = 1, numbers: int = 0) -> None:
        super().__init__(size, outputs * size, width=width, depth=depth, classes=classes, numbers=numbers)
        self.shape = (size,)

    def forward(self, x_t: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return super().forward(x_t, torch.logit(t, eps=1e-3)[:, None], y)


class VelocityPalette(MLP):
    """For a few numbers that go with a picture: (n, *shape), t (n,) in [0, 1], the picture (n, given, 32, 32) -> (n, *shape)."""

    def __init__(self, shape: tuple[int, ...], given: int, width: int = 256, depth: int = 4) -> None:
        super().__init__(math.prod(shape), math.prod(shape), width=width, depth=depth, numbers=width)
        self.shape = shape
        halves = [(given, 32), (32, 64), (64, 128), (128, 128)]
        looks = [layer for before, after in halves for layer in (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.SiLU())]
        self.look = nn.Sequential(*looks, nn.Flatten(), nn.Linear(128 * 4, width))

    def forward(self, x_t: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return super().forward(x_t.flatten(1), torch.logit(t, eps=1e-3)[:, None], self.look(y)).view_as(x_t).float()
