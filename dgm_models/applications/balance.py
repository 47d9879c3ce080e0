"""A generative flow network that decides a picture pixel by pixel: the flow along its way, and the reward at its end."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Frame, Noise

FLIPPED = 20  # pixels of a picture that is spoiled
NAMES = ("your digit", f"{FLIPPED} pixels flipped", "drawn by the network")


@dataclass(frozen=True)
class Ways:
    """To the pictures of NAMES: frames of (3, *shape), a line of pixels each; the log flow after each, (lines + 1) numbers a picture; their
    log rewards; the chances of each pixel given those before it, like x."""

    frames: list[Frame]
    flow: dict[str, list[float]]
    log_reward: list[float]
    chances: Tensor
    receipt: Receipt


def ways(id: str, x: Tensor, y: int, seed: int) -> Ways:
    """x: (1, *shape); y: a label."""
    loaded = catalog.open_model(id)
    model, noise = loaded.model, Noise([seed])
    size, shape, labels = model.space.size, model.space.shape, torch.full((len(NAMES),), y)
    with measured(loaded, id, seed, 1) as receipt, torch.no_grad():
        mine = model.bits.of(x)
        flipped = noise.uniform(size).argsort(1)[:, :FLIPPED]
        spoiled = mine.scatter(1, flipped, 1 - mine.gather(1, flipped))
        v = torch.cat([mine, spoiled, model.walk(labels[:1], noise.uniform(size))])
        logits = model.network(v, labels)
        nats = -F.binary_cross_entropy_with_logits(logits, v, reduction="none")
        log_z, log_reward = float(model.log_z[y]), model.log_reward(v, labels).tolist()
    decided = range(0, size + 1, shape[-1])
    flow = {name: [log_z + float(each[:count].sum()) for count in decided] for name, each in zip(NAMES, nats, strict=True)}
    frames = [
        Frame(torch.where(torch.arange(size) < count, v, 0.0).view(-1, *shape), f"{count} of {size} pixels decided") for count in decided
    ]
    return Ways(frames, flow, log_reward, logits.sigmoid().view(-1, *shape), receipt)
