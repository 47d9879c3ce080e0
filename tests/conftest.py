"""Toy models, trained once a session, on points in the plane and on pictures of 4 x 4; and the browser."""

from __future__ import annotations

import math
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import pytest
import torch
from filelock import FileLock
from torch import Tensor, nn

from dgm_models import catalog
from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Noise
from dgm_models.data import points
from dgm_models.families.any_order import AnyOrder
from dgm_models.families.autoregressive import Autoregressive
from dgm_models.families.belief import DeepBelief
from dgm_models.families.boltzmann import BoltzmannMachine, DeepBoltzmann
from dgm_models.families.diffusion import Diffusion
from dgm_models.families.distilled import DistilledDiffusion
from dgm_models.families.energy import EnergyBased
from dgm_models.families.flow import Flow
from dgm_models.families.gan import GAN
from dgm_models.families.gaussian_mixture import GaussianMixture
from dgm_models.families.gflownet import GFlowNet
from dgm_models.families.gsn import GSN
from dgm_models.families.sliced_flow import SlicedWassersteinFlow
from dgm_models.families.vae import VAE
from dgm_models.networks.adversarial import Adversaries
from dgm_models.networks.any_order import AnyOrderUNet
from dgm_models.networks.boltzmann import Belief, Layers
from dgm_models.networks.coupling import CoarseToFine
from dgm_models.networks.energy import EnergyUNet
from dgm_models.networks.nade import NADE
from dgm_models.networks.raster import RasterNet
from dgm_models.networks.velocity import VelocityUNet
from dgm_models.probability import energy_distance
from dgm_models.recipes import Recipe
from dgm_models.recipes import points as recipes
from dgm_models.spaces import Pixels, Space
from dgm_models.sweeps import Bits, balance
from dgm_models.training.loop import train

# What `./dgm test --all` runs besides: large trained weights, and on every panel what the default run tries on one of its kind.
whole = pytest.mark.whole


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="also what is marked `whole`: every trained model, every panel in the browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left = [] if config.getoption("--all") else [item for item in items if item.get_closest_marker("whole")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


def some(values: Sequence[Any], *chosen: Any) -> list[Any]:
    """Parameters of a test: the chosen ones always, the others with --all. A value is known by itself, or by its first part."""
    known = [value[0] if isinstance(value, tuple) else value for value in values]
    assert set(chosen) <= set(known), set(chosen) - set(known)
    return [
        value if name in chosen else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=whole)
        for name, value in zip(known, values, strict=True)
    ]


PLANE, TINY, TINTED = points.DATA.space, Pixels(1, 4), Pixels(3, 8)


class TinyAutoencoder(nn.Module):
    """Small pictures through two linear maps, with the outputs that the VAE asks for."""

    def __init__(self, shape: tuple[int, int, int], latent: int, classes: int) -> None:
        super().__init__()
        self.shape, size = shape, math.prod(shape)
        self.label = nn.Embedding(classes + 1, 8)
        self.inner, self.to_latent = nn.Linear(size + 8, 32), nn.Linear(32, 2 * latent)
        self.from_latent, self.outer = nn.Linear(latent + 8, 32), nn.Linear(32, 9 * size)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        return (self.outer,)

    def encode(self, x: Tensor, y: Tensor) -> Tensor:
        return self.to_latent(torch.relu(self.inner(torch.cat([x.flatten(1), self.label(y)], 1))))

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        return self.outer(torch.relu(self.from_latent(torch.cat([z, self.label(y)], 1)))).view(-1, 9 * self.shape[0], *self.shape[1:])


def build(family: str, space: Space) -> Family:
    """An untrained toy of a family, on points or on pictures."""
    torch.manual_seed(0)
    if not isinstance(space, Pixels):
        return catalog.build(on_points(family), points.DATA)
    channels, side = space.channels, space.side
    if family == "mixture":
        return GaussianMixture(space, classes=2, components=3, factors=1, floor=0.02)
    if family in ("vae", "gradient_flow"):
        network = TinyAutoencoder(space.shape, 3, 2)
        if family == "vae":
            return VAE(network, space, latent=3, condition=Classes(2))
        return SlicedWassersteinFlow(network, space, latent=3, classes=2, steps=30, beta=0.5)
    if family == "gflownet":
        return GFlowNet(NADE(Bits(space).size, 64, classes=2), space, classes=2, hidden=64)
    if family == "autoregressive":
        small = {"width": 32, "above": 16, "rows": 1, "depth": 1, "window": 3, "memory": 16, "plan": 4}
        return Autoregressive(RasterNet(space.shape, classes=2, **small), space, Classes(2))
    if family == "any_order":
        return AnyOrder(AnyOrderUNet(width=16, fine=1, coarse=1, classes=2, channels=channels), space, classes=2)
    if family == "flow":
        small = {"widths": (32,), "depths": (2,), "first": 1, "recogniser": 8}
        return Flow(CoarseToFine(side, classes=2, channels=channels, **small), space, classes=2)
    if family == "energy":
        return EnergyBased(EnergyUNet(channels, width=16, coarse=1, classes=2), space, classes=2, most=4.0, compare=0.01)
    if family == "dbm":
        network = Layers([Bits(space).size, 48, 24], classes=2, centred=True)
        return DeepBoltzmann(network, space, classes=2, greedy=(0.15, 0.3), sweeps=2, telling=1.0)
    if family == "rbm":
        return BoltzmannMachine(Layers([Bits(space).size, 64], classes=2), space, classes=2, sweeps=2, telling=1.0)
    if family == "dbn":
        return DeepBelief(Belief(Bits(space).size, 64, 64, classes=2), space, classes=2, sweeps=2, telling=1.0)
    if family == "gan":
        network = Adversaries(4, classes=2, side=side, width=16, critic_width=16, fine=1, channels=channels)
        return GAN(network, space, latent=4, condition=Classes(2), gamma=0.3, penalised=0.5)
    network = VelocityUNet(channels, width=16, fine=1, coarse=1, classes=2)
    return {"diffusion": Diffusion, "distilled": DistilledDiffusion, "gsn": GSN}[family](network, space, Classes(2))


def on_points(family: str) -> Recipe:
    """The row of the playground for a family."""
    name = {"mixture": "gmm", "distilled": "diffusion-fast"}.get(family, family.replace("_", "-"))
    return recipes.BY_ID[f"{name}-points"]


def toy_data(space: Space) -> tuple[Tensor, Tensor]:
    """Two moons; or 4 x 4 pictures of 8-bit levels: a bright row (class 0) or a bright column (class 1); or those in red on blue (class 0)
    or in blue on red (class 1), 8 x 8.
    """
    if not space.discrete:
        return points.DATA.train()
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 2, (2000,), generator=generator)
    at = torch.randint(0, 4, (2000,), generator=generator)
    x = torch.randint(0, 30, (2000, 1, 4, 4), generator=generator)
    for i in range(len(x)):
        if y[i] == 0:
            x[i, 0, at[i]] += 200
        else:
            x[i, 0, :, at[i]] += 200
    if space == TINTED:
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        other = 229 - x
        red = (y == 0)[:, None, None, None]
        x = torch.cat([torch.where(red, x, other), x // 2, torch.where(red, other, x)], dim=1)
    return x.float() / 255, y


def teach(model: Family, space: Space, toy: Callable[[str], Family]) -> list[float]:
    """Train a toy, whose teacher is another toy; returns its losses, first to last. Those of a game do not fall: of a GAN, how far its
    samples are from the data."""
    x, y = toy_data(space)
    if isinstance(model, GaussianMixture):
        return [value for _, value in model.fit(x, y, steps=8)]
    if isinstance(model, DistilledDiffusion):
        teacher = toy("diffusion")
        model.network.load_state_dict(teacher.network.state_dict())
        model.learn_from(teacher.network, 1.0, 2, 2)
    if isinstance(model, GFlowNet):
        machine = toy("rbm")
        torch.manual_seed(0)  # whether that one was trained now or loaded
        next(model.lessons(machine))
    model.observe((x * 255).round().to(torch.uint8) if space.discrete else x)
    how = _how(model, space)
    if isinstance(model, GAN | BoltzmannMachine | DeepBelief):
        far = [energy_distance(model.sample(Noise(range(400))), x[:400])]
        for _ in train(model, x, y, **how):
            pass
        if not isinstance(model, GAN):  # as `finish` does, with temperatures enough for a toy
            balance(model.network.above if isinstance(model, DeepBelief) else model.network, temperatures=600)
        return [*far, energy_distance(model.sample(Noise(range(400))), x[:400])]
    losses = [p.losses["model"] for p in train(model, x, y, report_every=50, **how)]
    if isinstance(model, SlicedWassersteinFlow):
        model.finish(x, y)
    return losses


def _how(model: Family, space: Space) -> dict[str, Any]:
    """The options of a toy's training: of its row, or of what small pictures need."""
    if not space.discrete:
        row = next(row for row in recipes.RECIPES if type(model) is catalog.named(row.family))
        return {name: getattr(row, name) for name in ("steps", "batch", "rate", "ema", "optimizer", "momentum")}
    if isinstance(model, GAN):
        return {"steps": 600, "batch": 64, "ema": 0.98, "rate": 3e-3, "momentum": 0.0}
    if isinstance(model, BoltzmannMachine | DeepBelief):
        return {"steps": 1200 if isinstance(model, DeepBelief) else 600, "batch": 64, "ema": 0.98, "rate": 1.0, "optimizer": "sgd"}
    steps = 2000 if isinstance(model, VAE | SlicedWassersteinFlow) else 250 if isinstance(model, Flow) else 400
    return {"steps": steps, "batch": 128, "ema": 0.98, "rate": 3e-3}


FAMILIES = (
    "mixture",
    "vae",
    "diffusion",
    "distilled",
    "autoregressive",
    "any_order",
    "flow",
    "energy",
    "gan",
    "rbm",
    "dbn",
    "dbm",
    "gsn",
    "gradient_flow",
    "gflownet",
)
KINDS = [(family, name) for family in FAMILIES for name in ("points", "pixels")]


class Toys:
    """Trained toys by (family, "points" or "pixels"), made on first use; what one process has trained the others load."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, {}

    def get(self, family: str, name: str) -> tuple[Family, list[float]]:
        """The toy, frozen, and its losses, first to last."""
        if (family, name) not in self.made:
            kept = self.folder / f"{family}-{name}.pt"
            with FileLock(kept.with_suffix(".lock")):
                space = PLANE if name == "points" else TINY
                model = build(family, space)
                if kept.is_file():
                    state, losses = torch.load(kept)
                    model.load_state_dict(state)
                else:
                    losses = teach(model, space, lambda teacher: self.get(teacher, name)[0])
                    torch.save((model.state_dict(), losses), kept)
            self.made[family, name] = model.eval().requires_grad_(False), losses
        return self.made[family, name]


@pytest.fixture(scope="session")
def toys(tmp_path_factory) -> Toys:
    folder = tmp_path_factory.getbasetemp()
    return Toys(folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder)


# the browser ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]
    chromium = os.environ.get("DGM_CHROMIUM") or shutil.which("chromium") or "playwright"
    where = {} if chromium == "playwright" else {"executable_path": chromium}
    return {**browser_type_launch_args, **where, "args": ["--no-sandbox", "--disable-gpu", *quiet]}


@contextmanager
def busy(seconds: float = 5.0) -> Iterator[None]:
    """A model at work that lets nobody pass, and is thought to need so long."""
    from dgm_models.ui.serve import results

    done = threading.Event()
    results.turns.enter(lambda: done.wait(60), seconds)
    try:
        yield
    finally:
        done.set()


@pytest.fixture(scope="session")
def served() -> object:
    """The address of the running app."""
    from app import demo
    from dgm_models.ui.app import launch_options
    from dgm_models.ui.serve import results

    with socket.create_server(("127.0.0.1", 0)) as free:  # two processes that looked for one port after another would meet
        port = free.getsockname()[1]
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_port=port, **launch_options(demo))
    yield address.rstrip("/")
    results.turns.close(30)  # a picture that nobody waits for may still be in the making: a process must not end under a running model
    demo.close()
