"""Chains, followed step by step: in an energy, by a denoiser, from layer to layer of units."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.mixing import labels_along, sweeps_between_changes
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import Frame, Noise, Settings, knob
from dgm_models.families.gsn import GSNRestoring

STARTS = ("noise", "your digit", "your digit and noise")
SWEEPS = 40  # of units, that a film shows


@dataclass(frozen=True)
class ChainSettings(Settings):
    """Of Langevin dynamics in an energy."""

    steps: int = knob(100, "Steps", 10, 400, step=10)
    step_size: float = knob(0.5, "Step size", 0.05, 5.0, step=0.05)
    temperature: float = knob(1.0, "Noise", 0.0, 1.5, step=0.05)


@dataclass(frozen=True)
class WanderSettings(GSNRestoring):
    """Of a denoiser's chain that is followed for long."""

    sweeps: int = knob(100, "Sweeps", 10, 300, step=10)


@dataclass(frozen=True)
class Walk:
    """Frames of (chains, *shape), and of an energy-based model the energies, (steps + 1, chains)."""

    frames: list[Frame]
    receipt: Receipt
    energies: Tensor | None = None


def langevin(id: str, x: Tensor, start: str, y: int, seed: int, settings: ChainSettings, chains: int) -> Walk:
    """Chains from one of STARTS with noise of their own. x: (1, *shape); y: a label, or -1 for none."""
    loaded, noise = catalog.open_model(id), Noise(seeds_from(seed, chains))
    fresh = noise.normal(*x.shape[1:])
    begin = {
        "noise": (0.5 + 0.5 * fresh).clamp(0, 1),
        "your digit": x.expand(chains, -1, -1, -1),
        "your digit and noise": (x + 0.3 * fresh).clamp(0, 1),
    }[start]
    labels = torch.full((chains,), y)
    with measured(loaded, id, seed, chains) as receipt:
        walk = list(loaded.model.chain(begin, labels, noise, settings.steps, settings.step_size, settings.temperature))
    frames = [
        Frame(at, f"step {step} of {settings.steps}   energy of the first {float(energy[0]):,.0f}")
        for step, (at, energy) in enumerate(walk)
    ]
    return Walk(frames, receipt, torch.stack([energy for _, energy in walk]))


def denoising(id: str, x: Tensor, y: int, seed: int, settings: WanderSettings, chains: int) -> Walk:
    """Chains of a denoiser that begin at one element (1, *shape)."""
    loaded = catalog.open_model(id)
    begin, labels = x.expand(chains, -1, -1, -1), loaded.model.labels(torch.full((chains,), y), chains)
    with measured(loaded, id, seed, chains) as receipt:
        walk = [Frame(begin, "your digit"), *loaded.model.chain(begin, Noise(seeds_from(seed, chains)), labels, settings)]
    return Walk(walk, receipt)


def changes(walk: Walk) -> tuple[list[list[int]], float]:
    """Of each chain the label that the judge reads after every sweep; and sweeps until one reads otherwise, which may be infinite."""
    read = labels_along(walk.frames)
    return read.T.tolist(), sweeps_between_changes(read)


@dataclass(frozen=True)
class Layers:
    """Of a belief network: films of what its features draw, of the features themselves and of the units above them."""

    drawn: list[Frame]
    features: list[Frame]
    above: list[Frame]
    sizes: tuple[int, ...]
    receipt: Receipt


def layers(id: str, seed: int, after: int) -> Layers:
    """A chain a label, each held, from units by chance; shown for SWEEPS sweeps after so many."""
    loaded = catalog.open_model(id)
    model, network, chains = loaded.model, loaded.model.network, loaded.model.classes
    settings = model.Settings(sweeps=after + SWEEPS, annealed=0.0)
    films: list[list[Frame]] = [[], [], []]
    with measured(loaded, id, seed, chains) as receipt:
        for step, moment in enumerate(model.dream(Noise(seeds_from(seed, chains)), torch.arange(chains), settings)):
            if step > after:
                features, above, _ = moment.states
                shown = (model.bits.back(network.pictures(features)), units(features), units(above))
                for film, x in zip(films, shown, strict=True):
                    film.append(Frame(x, f"sweep {step}"))
    return Layers(*films, network.above.sizes, receipt)


@dataclass(frozen=True)
class Dreams:
    """What a belief network makes of an element: p(y | features), (classes,); x as it is seen and as its features draw it; chains from
    there."""

    posterior: Tensor
    seen: Tensor
    drawn: Tensor
    frames: list[Frame]
    receipt: Receipt


def dreams(id: str, x: Tensor, seed: int, chains: int) -> Dreams:
    """Recognise x, (1, *shape), then let chains go on from its features with no label held."""
    loaded = catalog.open_model(id)
    model, network = loaded.model, loaded.model.network
    with measured(loaded, id, seed, chains) as receipt:
        posterior, seen, frames = model.recognise(x)[0], model.bits.of(x), []
        drawn = model.bits.back(network.pictures(network.features(seen)))
        settings = model.Settings(sweeps=SWEEPS, annealed=0.0)
        for step, moment in enumerate(model.dream(Noise(seeds_from(seed, chains)), None, settings, begin=x)):
            labels = " ".join(str(int(label)) for label in moment.states[-1].argmax(1))
            pictures = model.bits.back(network.pictures(moment.states[0]))
            frames.append(Frame(pictures, f"sweep {step}, labels {labels}" if step else "as recognised"))
    return Dreams(posterior, model.bits.back(seen), drawn, frames, receipt)


def units(states: Tensor) -> Tensor:
    """A layer of units as a picture, (n, units) -> (n, 1, h, w), near a square."""
    high = next(side for side in range(int(states.shape[1] ** 0.5), 0, -1) if states.shape[1] % side == 0)
    return states.view(len(states), 1, high, -1)
