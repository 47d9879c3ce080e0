"""Few data: particles that move to 200 digits, with nothing learned beforehand, beside a GAN that learned from the same 200.

Particles live in the principal components of the 200 digits and start as the normal distribution with their mean and variances; then
the generative particle algorithm moves them (Gu, Birmpa, Pantazis, Rey-Bellet and Katsoulakis, 2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Noise, Settings, check_seed, knob
from dgm_models.families.gradient_flow import Critic, flow, lipschitz
from dgm_models.turns import clock, paced

GAN, KEPT, WIDTH, LESSONS = "gan-few-mnist", 64, 128, 3  # principal components; the critic and its steps a step of the particles
MOVED = 100  # particles


@dataclass(frozen=True)
class FewSettings(Settings):
    """Of the particles."""

    steps: int = knob(300, "Steps", 20, 1500, step=20, help="of the particles, three of the critic each")
    step_size: float = knob(0.1, "Step size", 0.01, 0.3, step=0.01)
    steepest: float = knob(5.0, "Steepest slope", 1.0, 10.0, step=0.5, help="the critic's largest: no particle moves faster")


class Components(NamedTuple):
    """Of digits: their mean (size,), principal axes (k, size), the standard deviation along each (k,), and the digits' places (n, k)."""

    mean: Tensor
    axes: Tensor
    spread: Tensor
    places: Tensor

    def picture(self, z: Tensor) -> Tensor:
        """(n, k) -> (n, *shape) in [0, 1]."""
        return (self.mean + z @ self.axes).clamp(0, 1).view(-1, *catalog.dataset(GAN).space.shape)


def known() -> Tensor:
    """The 200 digits, (200, *shape)."""
    data = catalog.dataset(GAN)
    return data.space.read(data.few()[0])


@lru_cache(maxsize=1)
def components() -> Components:
    """Of the 200 digits; each axis points where its largest entry is positive, on any machine."""
    x = known().flatten(1)
    mean = x.mean(0)
    _, size, axes = torch.linalg.svd(x - mean, full_matrices=False)
    axes = axes[:KEPT]
    axes = axes * axes.gather(1, axes.abs().argmax(1, keepdim=True)).sign()
    return Components(mean, axes, size[:KEPT] / len(x) ** 0.5, (x - mean) @ axes.T)


def move(count: int, seed: int, settings: FewSettings) -> Iterator[Tensor]:
    """So many particles at the start and after every step: (count, k)."""
    about, chance = components(), torch.Generator().manual_seed(check_seed(seed))
    start = about.spread * torch.randn(count, KEPT, generator=chance)
    critic = Critic(KEPT, chance, steepest=settings.steepest, width=WIDTH)
    return flow(start, lipschitz(about.places, critic, lessons=LESSONS), settings.step_size, settings.steps)


class Moved:
    """Particles on their way: `film` moves them, `milliseconds` is what it took."""

    def __init__(self, seed: int, settings: FewSettings) -> None:
        self.seed, self.settings, self.milliseconds = seed, settings, 0.0

    def film(self, shown: int) -> Iterator[tuple[int, Tensor]]:
        """The step and so many of the MOVED particles as pictures, at the start and after every step."""
        about, began = components(), clock()
        for step, z in enumerate(paced(move(MOVED, self.seed, self.settings))):
            self.milliseconds = 1000 * (clock() - began)
            yield step, about.picture(z[:shown])


def drawn(count: int, seed: int) -> tuple[Tensor, Receipt]:
    """Of the GAN that learned from the same 200, (count, *shape), its labels in turn."""
    loaded = catalog.open_model(GAN)
    with measured(loaded, GAN, seed, count) as receipt:
        pictures = loaded.model.sample(Noise(seeds_from(seed, count)), torch.arange(count) % loaded.model.classes)
    return pictures, receipt


def nearest(x: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest of the 200 digits to each picture (n, *shape), like x, and how far it is, (n,)."""
    digits = known()
    far, which = torch.cdist(x.flatten(1), digits.flatten(1)).min(1)
    return digits[which], far
