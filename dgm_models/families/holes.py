"""Filling holes in photographs: by a generator with gates and a critic of patches, which has one answer (Yu et al., 2019: DeepFill v2), and
by diffusion that is told what is seen, which has several (Saharia et al., 2022: Palette)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.conditions import Given
from dgm_models.contracts import Frame, Learner, Noise
from dgm_models.families.diffusion import Diffusion, DiffusionSettings
from dgm_models.families.regressor import random_holes
from dgm_models.measurements import Hide
from dgm_models.networks import fitted
from dgm_models.probability import steepness
from dgm_models.spaces import Pixels

STROKES = 4  # of a brush, at most, in a hole


class Filler(Learner):
    """network.generator(signal, seen) -> signal; network.critic(signal beside seen) -> a score a patch.

    adversarial: the critic's word beside the mean absolute error. gamma: weighs R1 and R2 (Huang et al., 2024).
    """

    def __init__(self, network: nn.Module, space: Pixels, adversarial: float = 0.05, gamma: float = 0.5, penalised: float = 0.25) -> None:
        super().__init__()
        self.network, self.space, self.classes = fitted(network, space.shape), space, 0
        self.adversarial, self.gamma, self.penalised = adversarial, gamma, penalised

    def players(self) -> dict[str, nn.Module]:
        return {"critic": self.network.critic, "generator": self.network.generator}

    @torch.no_grad()
    def fill(self, x: Tensor, seen: Tensor) -> Tensor:
        """Pictures (n, *shape) in [0, 1] and where they are seen, bool (n, 1, h, w) -> the same with their holes filled; what is seen is
        as it was, to the last bit."""
        return Hide(seen).put_back(self.space.clamp(self._made(x, seen)), x)

    def _made(self, x: Tensor, seen: Tensor) -> Tensor:
        return self.space.from_signal(self.network.generator(self.space.to_signal(x) * seen, seen.to(x.dtype)).float())

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "critic") -> Tensor:
        """The relativistic game of pairs (Jolicoeur-Martineau, 2019), patch by patch, of pictures whose holes are filled and of real ones;
        the generator also makes little error everywhere."""
        if player not in ("critic", "generator"):
            raise ValueError(f"expected player 'critic' or 'generator', got {player!r}")
        seen = holes(len(x), x.shape[-1], x.device)
        made = self._made(x, seen)
        filled = torch.where(seen, x, made if player == "generator" else made.detach())
        real, fake = (torch.cat([self.space.to_signal(each), seen.to(x.dtype)], 1) for each in (x, filled))
        if player == "generator":
            return (made - x).abs().mean() + self.adversarial * F.softplus(self.network.critic(real) - self.network.critic(fake)).mean()
        some = max(1, round(self.penalised * len(x)))
        judged = F.softplus(self.network.critic(fake) - self.network.critic(real)).mean()
        return judged + self.gamma / 2 * sum(steepness(self.network.critic, each[:some]) for each in (real, fake))


class FillingDiffusion(Diffusion):
    """Diffusion that is given what is seen and where: a plane more than a picture has. Holes are drawn anew at each step of training."""

    restores = (Hide,)

    def __init__(self, network: nn.Module, space: Pixels, drop: float = 0.1) -> None:
        super().__init__(network, space, Given(Pixels(space.channels + 1, space.height, space.width)), drop)

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        return super().loss(x, told(x, holes(len(x), x.shape[-1], x.device)), player)

    @torch.no_grad()
    def restore(
        self, seen: Tensor, measurement: Hide, noise: Noise, y: Tensor | None = None, settings: DiffusionSettings | None = None
    ) -> Iterator[Frame]:
        """Samples of p(x | seen): the sampler's, told what is seen, which is put back in each prediction."""
        self.check_measurement(seen, measurement, noise)
        mask = measurement.mask.expand(len(noise), -1, -1, -1)[:, :1]
        plain = settings or DiffusionSettings(steps=16, guidance_scale=1.0)
        for frame in self.trace(noise, told(seen, mask), plain):
            guess = None if frame.guess is None else measurement.put_back(frame.guess, seen)
            yield frame._replace(x=measurement.put_back(frame.x, seen), guess=guess)


def told(x: Tensor, seen: Tensor) -> Tensor:
    """What is seen of pictures (n, c, h, w), 0 elsewhere, and where, (n, 1, h, w): (n, c + 1, h, w)."""
    return torch.cat([x * seen, seen.to(x.dtype)], dim=1)


def holes(n: int, side: int, device: torch.device, stream: torch.Generator | None = None) -> Tensor:
    """Masks, bool (n, 1, side, side), true where seen, by torch's own stream unless another is given: half with a box or more hidden
    (`random_holes`), half with the strokes of a brush."""
    start, way = (
        torch.rand(n, STROKES, 1, 2, device=device, generator=stream),
        0.5 * torch.randn(n, STROKES, 1, 2, device=device, generator=stream),
    )
    start[:, 1:] = (start[:, :1] + way[:, :1]).clamp(0, 1)  # the others set out from the end of the first
    wide = 0.03 + 0.09 * torch.rand(n, STROKES, 1, device=device, generator=stream) * (
        torch.rand(n, STROKES, 1, device=device, generator=stream) < 0.7
    )
    ramp = (torch.arange(side, device=device) + 0.5) / side
    place = torch.stack(torch.meshgrid(ramp, ramp, indexing="ij"), -1).view(1, 1, -1, 2)
    along = (((place - start) * way).sum(-1) / way.square().sum(-1).clamp_min(1e-6)).clamp(0, 1)
    off = (place - start - along[..., None] * way).norm(dim=-1)
    brushed = (off > wide).all(1).view(n, 1, side, side)
    boxed = random_holes(n, side, device, stream)
    return torch.where(torch.rand(n, 1, 1, 1, device=device, generator=stream) < 0.5, brushed, boxed)
