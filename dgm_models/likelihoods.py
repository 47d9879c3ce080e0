"""p(x | numbers that a network gives): how likely an element is, what it is on average, and a draw of it.

All take `out`, float, with the numbers side by side in dimension 1. Nats are of the whole element, (n,).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models.probability import log_discretized_logistic, log_normal
from dgm_models.spaces import Lit, Space, Tokens


class Likelihood(ABC):
    """`numbers`: how many a network gives for each number of x. `even`: draws start from uniform numbers, else from normal ones."""

    numbers: int
    even: bool

    def __init__(self, space: Space) -> None:
        self.space = space

    @abstractmethod
    def log_prob(self, x: Tensor, out: Tensor) -> Tensor:
        """(n, *shape) -> (n,) nats."""

    @abstractmethod
    def moments(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance, each (n, *shape), on the scale of x."""

    @abstractmethod
    def draw(self, out: Tensor, chance: Callable[..., Tensor]) -> Tensor:
        """An element, (n, *shape); chance(*shape of one row) makes random numbers of all rows."""

    def mean(self, out: Tensor) -> Tensor:
        return self.moments(out)[0]


class Normal(Likelihood):
    """Mean and log standard deviation, the latter kept within [-5, 3]."""

    numbers, even = 2, False

    def split(self, out: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = out.chunk(2, dim=1)
        return mean, log_std.clamp(-5, 3)

    def log_prob(self, x: Tensor, out: Tensor) -> Tensor:
        return log_normal(x, *self.split(out)).flatten(1).sum(1)

    def moments(self, out: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = self.split(out)
        return mean, (2 * log_std).exp()

    def draw(self, out: Tensor, chance: Callable[..., Tensor]) -> Tensor:
        mean, log_std = self.split(out)
        return mean + log_std.exp() * chance(*mean.shape[1:])


class Bernoulli(Likelihood):
    """Logits of pixels that are on or off; a grey pixel counts as on as often as it is bright."""

    numbers, even = 1, True

    def log_prob(self, x: Tensor, out: Tensor) -> Tensor:
        return -F.binary_cross_entropy_with_logits(out, x, reduction="none").flatten(1).sum(1)

    def mean(self, out: Tensor) -> Tensor:
        return out.sigmoid()

    def moments(self, out: Tensor) -> tuple[Tensor, Tensor]:
        share = out.sigmoid()
        return share, share * (1 - share)

    def draw(self, out: Tensor, chance: Callable[..., Tensor]) -> Tensor:
        return (chance(*out.shape[1:]) < out.sigmoid()).float()


class Logistics(Likelihood):
    """A mixture of discretized logistics for each number of a picture (Salimans et al., 2017, eq. 2): of its 256 levels, exactly.

    out (n, 3 mixtures channels, h, w): weights, means and log scales. Means stay within [-1.5, 1.5] and scales within e^-6 to e^1, on
    the scale where pixels span [-1, 1]: wide enough for a pixel that is always black, and no number can run away.
    """

    even = True

    def __init__(self, space: Space, mixtures: int = 3) -> None:
        super().__init__(space)
        self.numbers = 3 * mixtures

    def split(self, out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the weights, means and log scales, each (n, mixtures, *shape)."""
        weight, mean, log_scale = out.view(len(out), 3, -1, *self.space.shape).unbind(1)
        # the components start apart, so that they do not learn the same thing
        apart = torch.linspace(-1, 1, mean.shape[1], device=out.device).view(1, -1, 1, 1, 1)
        return weight, 1.5 * torch.tanh(mean + apart), 7 * torch.sigmoid(log_scale) - 6

    def log_prob(self, x: Tensor, out: Tensor) -> Tensor:
        weight, mean, log_scale = self.split(out)
        level = (x * 255).round()[:, None]
        terms = log_discretized_logistic(level, mean, log_scale) + weight.log_softmax(1)
        return torch.logsumexp(terms, dim=1).flatten(1).sum(1)

    def moments(self, out: Tensor) -> tuple[Tensor, Tensor]:
        weight, mean, log_scale = self.split(out)
        share, mean = weight.softmax(1), mean.clamp(-1, 1)
        # a logistic has variance (pi scale)^2 / 3; what a bin beyond the ends catches counts as the end
        variance = ((torch.pi**2 / 3) * (2 * log_scale).exp()).clamp_max(0.5)
        centre = (share * mean).sum(1)
        spread = (share * (variance + mean.square())).sum(1) - centre.square()
        return ((centre + 1) / 2).clamp(0, 1), (spread / 4).clamp_min(1e-6)

    def draw(self, out: Tensor, chance: Callable[..., Tensor]) -> Tensor:
        weight, mean, log_scale = self.split(out)
        gumbel = -(-chance(*weight.shape[1:]).clamp(1e-6, 1 - 1e-6).log()).log()
        picked = (weight + gumbel).argmax(1, keepdim=True)
        mean, log_scale = mean.gather(1, picked)[:, 0], log_scale.gather(1, picked)[:, 0]
        u = chance(*mean.shape[1:]).clamp(1e-5, 1 - 1e-5)
        x = mean + log_scale.exp() * (u.log() - (-u).log1p())
        return ((x.clamp(-1, 1) + 1) * 127.5).round() / 255


class Categorical(Likelihood):
    """Logits of the token in each place, (n, tokens and the end, length); after the end nothing counts."""

    even = True

    def __init__(self, space: Tokens) -> None:
        super().__init__(space)
        self.numbers = space.end + 1

    def log_prob(self, x: Tensor, out: Tensor) -> Tensor:
        before = F.pad((x == self.space.end).cumsum(1), (1, 0))[:, :-1]
        return -(F.cross_entropy(out, x, reduction="none") * (before == 0)).sum(1)

    def moments(self, out: Tensor) -> tuple[Tensor, Tensor]:
        raise ValueError("tokens have no mean: expected pictures or points")

    def mean(self, out: Tensor) -> Tensor:
        """The likeliest of each place."""
        return self._ended(out.argmax(1))

    def draw(self, out: Tensor, chance: Callable[..., Tensor]) -> Tensor:
        even = chance(*out.shape[1:]).clamp(1e-6, 1 - 1e-6)
        return self._ended((out - (-even.log()).log()).argmax(1))

    def _ended(self, x: Tensor) -> Tensor:
        return torch.where((x == self.space.end).cumsum(1) > 0, self.space.end, x)


def of_levels(space: Space) -> Likelihood:
    """What a decoder's numbers mean: the levels of pictures, tokens, or normal coordinates."""
    if isinstance(space, Tokens):
        return Categorical(space)
    return Logistics(space) if isinstance(space, Lit) else Normal(space)


def of_bits(space: Space) -> Likelihood:
    """The same where pictures are taken as black and white."""
    return Bernoulli(space) if isinstance(space, Lit) else Normal(space)
