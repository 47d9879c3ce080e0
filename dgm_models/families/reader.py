"""The reader: p(y | x) of a picture. Not a generative model, but the judge of all of them (discriminative against generative)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import Attributes
from dgm_models.contracts import Learner
from dgm_models.networks.residual import Block
from dgm_models.spaces import Pixels


class Reader(Learner):
    """A residual convolutional classifier of small pictures; its 128 features before the last layer measure distances.

    It learns from pictures that are shifted, turned, sheared and scaled a little (`jitter`), and where `mirrored` also from their mirror
    images: what its classes do not change with.
    """

    num_features = 128

    def __init__(
        self, space: Pixels, classes: int = 10, width: int = 64, depth: int = 2, jitter: float = 1.0, mirrored: bool = False
    ) -> None:
        super().__init__()
        self.space, self.classes, self.jitter, self.mirrored = space, classes, jitter, mirrored
        self.enter = nn.Conv2d(4 * space.channels, width, 3, padding=1)
        self.early = nn.ModuleList(Block(width, 1) for _ in range(depth))
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.late = nn.ModuleList(Block(2 * width, 1) for _ in range(depth))
        self.norm = nn.GroupNorm(8, 2 * width)
        self.to_features = nn.Linear(2 * width * 16, self.num_features)
        self.to_logits = nn.Linear(self.num_features, classes)

    def features(self, x: Tensor) -> Tensor:
        """(n, *shape) in [0, 1] -> (n, 128)."""
        nothing = x.new_zeros(len(x), 1)
        h = self.enter(F.pixel_unshuffle(self.space.to_signal(x), 2))
        for block in self.early:
            h = block(h, nothing)
        h = self.down(h)
        for block in self.late:
            h = block(h, nothing)
        h = F.adaptive_avg_pool2d(F.silu(self.norm(h)), 4)
        return F.silu(self.to_features(h.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the classes, (n, classes)."""
        return self.to_logits(F.dropout(self.features(x), 0.3, self.training))

    def probabilities(self, x: Tensor) -> Tensor:
        """p(y | x), (n, classes)."""
        return self(x).softmax(1)

    def loss(self, x: Tensor, y: Tensor, player: str = "model") -> Tensor:
        """Cross-entropy in nats."""
        x = jitter(x, self.jitter)
        if self.mirrored:
            x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x.flip(-1), x)
        return F.cross_entropy(self(x), y, label_smoothing=0.05)


def jitter(x: Tensor, strength: float = 1.0) -> Tensor:
    """A small random affine map a picture: up to 12 degrees, 12 % scale, 10 % shear, 2.5 pixels shift."""
    n = len(x)
    turn, shear, across, down = ((2 * torch.rand(4, n, device=x.device) - 1) * strength).unbind(0)
    turn, shear = 0.21 * turn, 0.1 * shear
    scale = 1 + 0.12 * strength * (2 * torch.rand(2, n, device=x.device) - 1)
    top = torch.stack([scale[0] * turn.cos(), -turn.sin() + shear, across * 5 / x.shape[-1]], dim=1)
    bottom = torch.stack([turn.sin(), scale[1] * turn.cos(), down * 5 / x.shape[-2]], dim=1)
    grid = F.affine_grid(torch.stack([top, bottom], dim=1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


class AttributeReader(Learner):
    """Of several things that may be said of a picture, each one of its own choices, what is there: logits of all choices, one after
    another, from network(signals) -> (n, 128). Where nothing is said of a thing, nothing is learned."""

    num_features = 128

    def __init__(self, network: nn.Module, space: Pixels, condition: Attributes) -> None:
        super().__init__()
        self.network, self.space, self.classes = network, space, 0
        self.counts = [len(each) for each in condition.choices]
        self.to_logits = nn.Linear(self.num_features, sum(self.counts))

    def features(self, x: Tensor) -> Tensor:
        """(n, *shape) in [0, 1] -> (n, 128)."""
        return F.silu(self.network(self.space.to_signal(x)))

    def logits(self, x: Tensor) -> list[Tensor]:
        """Of each thing, (n, its choices)."""
        return list(self.to_logits(F.dropout(self.features(x), 0.2, self.training)).float().split(self.counts, 1))

    @torch.no_grad()
    def read(self, x: Tensor) -> Tensor:
        """The likeliest choice of each thing, (n, things), whether or not such a thing is there."""
        return torch.stack([each.argmax(1) for each in self.logits(x)], 1)

    def loss(self, x: Tensor, y: Tensor, player: str = "model") -> Tensor:
        """Cross-entropy in nats, a mean over the things; pictures are moved by a pixel or two."""
        by = torch.randint(-2, 3, (2,)).tolist()
        x = F.pad(x, (2, 2, 2, 2), mode="replicate")[..., 2 + by[0] : 2 + by[0] + x.shape[2], 2 + by[1] : 2 + by[1] + x.shape[3]]
        found = self.logits(x)
        return sum(F.cross_entropy(each, y[:, at], ignore_index=-1, reduction="sum") for at, each in enumerate(found)) / (y != -1).sum()
