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
from dgm_models.probability import lead, penalised_lead
from dgm_models.spaces import Pixels

STROKES = 4  # of a brush, at most, in a hole
SWEEPS = 30  # of a membrane, at each of its sizes
PLAIN = DiffusionSettings(steps=16, guidance_scale=1.0, temperature=0.85)  # at a temperature of 1 answers are grainy


class Filler(Learner):
    """network.generator(signal, seen) -> signal; network.critic(signal beside seen) -> a score a patch.

    adversarial: the critic's word beside the mean absolute error. alone: the share of training in which the generator goes by its error
    alone; after it the critic's word grows in evenly. gamma: weighs R1 and R2 (Huang et al., 2024).
    """

    def __init__(
        self,
        network: nn.Module,
        space: Pixels,
        adversarial: float = 0.02,
        alone: float = 0.4,
        gamma: float = 0.02,
        penalised: float = 0.25,
    ) -> None:
        super().__init__()
        self.network, self.space, self.classes = fitted(network, space.shape), space, 0
        self.adversarial, self.alone, self.gamma, self.penalised = adversarial, alone, gamma, penalised
        self.heard = adversarial  # the critic's word by now

    def players(self) -> dict[str, nn.Module]:
        return {"critic": self.network.critic, "generator": self.network.generator}

    def age(self, share: float) -> None:
        self.heard = self.adversarial * max(0.0, share - self.alone) / (1 - self.alone)

    @torch.no_grad()
    def fill(self, x: Tensor, seen: Tensor) -> Tensor:
        """Pictures (n, *shape) in [0, 1] and where they are seen, bool (n, 1, h, w) -> the same with their holes filled; what is seen is
        as it was, to the last bit."""
        return laid_in(self._made(x, seen), x, seen)

    def _made(self, x: Tensor, seen: Tensor) -> Tensor:
        return self.space.from_signal(self.network.generator(self.space.to_signal(x) * seen, seen.to(x.dtype)).float())

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "critic") -> Tensor:
        """The relativistic game of pairs (Jolicoeur-Martineau, 2019), patch by patch, of pictures whose holes are filled and of real ones;
        the generator also makes little error, everywhere and once more in holes."""
        if player not in ("critic", "generator"):
            raise ValueError(f"expected player 'critic' or 'generator', got {player!r}")
        seen = holes(len(x), x.shape[-1], x.device)
        made = self._made(x, seen)
        filled = torch.where(seen, x, made if player == "generator" else made.detach())
        real, fake = (torch.cat([self.space.to_signal(each), seen.to(x.dtype)], 1) for each in (x, filled))
        if player == "generator":
            off = (made - x).abs()
            error = off.mean() + (off.mean(1, keepdim=True) * ~seen).sum() / (~seen).sum().clamp_min(1)
            return error + self.heard * lead(self.network.critic(real), self.network.critic(fake)) if self.heard else error
        return penalised_lead(self.network.critic, real, fake, self.gamma, max(1, round(self.penalised * len(x))))


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
        """Samples of p(x | seen): the sampler's, told what is seen; each prediction, and so the answer, is laid into what is seen."""
        self.check_measurement(seen, measurement, noise)
        mask = measurement.mask.expand(len(noise), -1, -1, -1).all(1, keepdim=True)  # what is seen of one colour alone is not told
        frame = None
        for one in self.trace(noise, told(seen, mask), settings or PLAIN):
            if frame is not None:
                yield frame
            frame = one._replace(x=measurement.put_back(one.x, seen), guess=laid_in(one.guess, seen, mask))
        yield frame._replace(x=measurement.put_back(frame.guess, seen))


def laid_in(made: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    """Pictures (n, c, h, w) in [0, 1] with what was made of them where they are not seen, bool (n, 1, h, w), without a step at the border:
    by how much both sides differ there, beyond what a slope across it explains, is taken off the inner side, and goes on inwards as a
    membrane does (as in Perez et al., 2003: Poisson image editing)."""
    border = ~seen & (F.max_pool2d(seen.to(x.dtype), 3, 1, 1) > 0)
    # what lies within 1 pixel and within 3 of a straight border is 1.5 and 3.5 pixels apart: on to where nothing is
    near, far = (_mean_near(x, seen, reach) - _mean_near(made, ~seen, reach) for reach in (1, 3))
    return torch.where(seen, x, made + membrane(near + 0.75 * (near - far), border)).clamp(0, 1)


def _mean_near(x: Tensor, there: Tensor, reach: int) -> Tensor:
    """Of each pixel, the mean of those at most so far from it, along both axes, that are there."""
    share, total = (F.avg_pool2d(each, 2 * reach + 1, 1, reach) for each in (there.to(x.dtype), x * there))
    return total / share.clamp_min(1e-6)


def membrane(known: Tensor, there: Tensor, sweeps: int = SWEEPS) -> Tensor:
    """Values (n, c, h, w) that are known where `there`, bool (n, 1, h, w), and elsewhere the mean of their neighbours: Laplace's equation,
    by Jacobi's sweeps from the solution at half the size. Zero where nothing is known."""
    known = known * there
    share = F.avg_pool2d(there.to(known.dtype), 2, ceil_mode=True)
    if min(known.shape[2:]) > 2:
        coarse = F.avg_pool2d(known, 2, ceil_mode=True) / share.clamp_min(1e-6)
        begin = F.interpolate(membrane(coarse, share > 0, sweeps), known.shape[2:], mode="bilinear", align_corners=False)
    else:
        begin = (known.sum((2, 3), keepdim=True) / there.sum((2, 3), keepdim=True).clamp_min(1)).expand_as(known)
    x = torch.where(there, known, begin)
    for _ in range(sweeps):
        around = F.pad(x, (1, 1, 1, 1), mode="replicate")
        mean = (around[..., 1:-1, :-2] + around[..., 1:-1, 2:] + around[..., :-2, 1:-1] + around[..., 2:, 1:-1]) / 4
        x = torch.where(there, known, mean)
    return x


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
