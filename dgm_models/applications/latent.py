"""Latent spaces, looked at: a plane of codes, a walk from code to code, the way of an element to noise and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Frame, Noise, Settings
from dgm_models.probability import bits_per_dimension, slerp

REACH, SIDE, DOTS = 3.0, 20, 600  # of a plane: how far it is shown, codes a side, held-out elements on it
CORNERS, FRAMES_A_SIDE = 4, 8  # of a walk


@dataclass(frozen=True)
class Place:
    """Of x in a plane: mean and standard deviation of q(z | x), two numbers each; the point; what mean and point decode to, (2, *shape)."""

    mean: list[float]
    std: list[float]
    point: list[float]
    decoded: Tensor
    receipt: Receipt


def place(id: str, x: Tensor, point: list[float] | None) -> Place:
    """Of one element (1, *shape), and of a point of the plane; without one, the mean."""
    loaded = catalog.open_model(id)
    model = loaded.model
    with measured(loaded, id, 0, 1) as receipt:
        mean, log_std = model.posterior(x, model.labels(None, 1))
        point = point or mean[0].tolist()
        decoded = model.decode(torch.cat([mean, torch.tensor([point])]))
    return Place(mean[0].tolist(), log_std[0].exp().tolist(), point, decoded, receipt)


@lru_cache(maxsize=2)
def ground(id: str) -> Tensor:
    """The plane decoded on a grid of SIDE x SIDE codes: (SIDE * SIDE, *shape), from the upper left, line by line."""
    axis = (torch.arange(SIDE) + 0.5) / SIDE * 2 * REACH - REACH
    return catalog.load(id).decode(torch.stack([axis.repeat(SIDE), (-axis).repeat_interleave(SIDE)], dim=1))


@lru_cache(maxsize=2)
def dots(id: str) -> list[list[float]]:
    """Where the encoder puts held-out elements: [z1, z2, label]."""
    data = catalog.dataset(id)
    x, y = data.shown()
    z = catalog.load(id).encode(data.space.read(x[:DOTS]))
    kept = z.abs().amax(1) < REACH
    return [[round(a, 3), round(b, 3), int(label)] for (a, b), label in zip(z[kept].tolist(), y[:DOTS][kept], strict=True)]


def circle(id: str, seed: int, settings: Settings) -> tuple[list[Frame], Receipt]:
    """A closed path over CORNERS codes, all labels at each: what the code says, the labels share."""
    loaded = catalog.open_model(id)
    model, labels = loaded.model, torch.arange(loaded.model.classes)
    corners = model.codes(Noise(seeds_from(seed, CORNERS)), settings)
    frames = []
    with measured(loaded, id, seed, len(labels)) as receipt:
        for at in range(CORNERS * FRAMES_A_SIDE + 1):
            side, share = divmod(at, FRAMES_A_SIDE)
            here, there = side % CORNERS, (side + 1) % CORNERS
            z = slerp(corners[here][None], corners[there][None], share / FRAMES_A_SIDE)
            frames.append(Frame(model.decode(z.expand(len(labels), -1), labels), f"from code {here + 1} to code {there + 1}"))
    return frames, receipt


@dataclass(frozen=True)
class Journey:
    """Of one element through a flow and back.

    frames: x after each layer, there and back; cost: of each number in bits, like x, as the root of its share of the largest; numbers:
    how many each layer makes, and bits: what they cost there; log_noise, log_det, log_cells: the three parts of log p in nats; off: how
    many numbers came back otherwise.
    """

    frames: list[Frame]
    cost: Tensor
    numbers: list[int]
    bits: list[float]
    log_noise: float
    log_det: float
    log_cells: float
    off: int
    receipt: Receipt

    @property
    def nats(self) -> float:
        return self.log_det + self.log_noise - self.log_cells

    @property
    def bits_per_dimension(self) -> float:
        return float(bits_per_dimension(self.nats, sum(self.numbers)))


def journey(id: str, x: Tensor, y: int, seed: int) -> Journey:
    """Of x, (1, *shape). The seed chooses the place of each number within its level."""
    loaded, label = catalog.open_model(id), torch.tensor([y])
    model = loaded.model
    with measured(loaded, id, seed, 1) as receipt:
        there = list(model.journey(x, label, Noise([seed])))
        back = list(model.way_back(there[-1][2], label))[1:]
        cost = -model.layer_log_prob(x, label) / math.log(2)
    cost = (cost / cost.max().clamp_min(1e-6)).sqrt()
    frames = [Frame(x, "your digit"), *(step[0] for step in there), *(Frame(frame.x, f"back: {frame.note}") for frame in back)]
    gained = {layer: float(log_det + noise) for _, layer, _, log_det, noise in there}
    numbers = [len(part) for part in model.parts]
    return Journey(
        frames,
        cost,
        numbers,
        [(many * math.log(model.levels) - gained[layer]) / math.log(2) for layer, many in enumerate(numbers)],
        log_noise=sum(float(step[4]) for step in there),
        log_det=sum(float(step[3]) for step in there),
        log_cells=model.space.size * math.log(model.levels),
        off=int((model.space.to_levels(back[-1].x, model.levels) != model.space.to_levels(x, model.levels)).sum()),
        receipt=receipt,
    )
