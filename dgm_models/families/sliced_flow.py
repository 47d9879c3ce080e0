"""A generative gradient flow of digits: particles move from noise to the codes of an autoencoder, and a decoder shows them.

The flow descends on the sliced Wasserstein distance (Bonneel et al., 2015; Liutkus et al., 2019): at each step all codes move along
random axes, sorted to sorted. Each step is kept as a function of place, so that a new particle follows the same field alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from dgm_models.conditions import Classes
from dgm_models.contracts import Family, Frame, Learner, Noise, Settings, knob
from dgm_models.families.vae import VAE
from dgm_models.networks.transport import SlicedTransport
from dgm_models.spaces import Space


@dataclass(frozen=True)
class SlicedFlowSettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the noise that particles start from")
    until: float = knob(1.0, "Until", 0.0, 1.0, step=0.05, help="the share of the flow that is gone through")


class SlicedWassersteinFlow(Family):
    """Class-conditional. The network is an autoencoder as `VAE` takes it; the flow of its codes is learned once that is trained."""

    Settings = SlicedFlowSettings
    silent = "particles arrive where the flow leads them, and what share of them came from where is not kept"
    borrows = MappingProxyType({"codes.network.": "network."})

    def __init__(
        self, network: nn.Module, space: Space, latent: int, classes: int = 0, beta: float = 1.0, steps: int = 60, knots: int = 24
    ) -> None:
        """beta: the weight of the KL divergence of codes from N(0, I). steps, knots: of the flow that is kept."""
        super().__init__()
        self.space, self.latent, self.condition = space, latent, Classes(classes)
        self.codes = VAE(network, space, latent, Classes(classes), beta=beta, drop=0.0)
        self.flow = SlicedTransport(latent, steps, knots, classes)

    @property
    def network(self) -> nn.Module:
        """The autoencoder."""
        return self.codes.network

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Of the autoencoder: its negative ELBO."""
        return self.codes.loss(x, y)

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        """Takes the autoencoder of a VAE, where that is its teacher."""
        if teacher is not None:
            self.network.load_state_dict(teacher.network.state_dict())
        yield ""

    @torch.no_grad()
    def finish(self, x: Tensor, y: Tensor) -> None:
        """Learn the flow to the codes of the training data, drawn as the encoder draws them."""
        self.flow.learn(self.codes.drawn_codes(x, y), y, torch.Generator().manual_seed(0))

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The mean of p(x | z, y): (n, latent) -> (n, *shape)."""
        return self.codes.decode(z, y)

    @torch.no_grad()
    def moved(self, noise: Noise, y: Tensor, settings: SlicedFlowSettings) -> Iterator[Tensor]:
        """Codes from N(0, I), (n, latent), before the first step of the flow and after each; labels (n,) all given."""
        z = settings.temperature * noise.normal(self.latent)
        yield z
        for k in range(round(settings.until * self.flow.count)):
            z = self.flow.step(k, z, y)
            yield z

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: SlicedFlowSettings | None = None) -> Iterator[Frame]:
        """Particles on their way, decoded."""
        settings, y = settings or self.Settings(), self.settled(y, noise)
        for k, z in enumerate(self.moved(noise, y, settings)):
            yield Frame(self.decode(z, y), f"step {k} of {self.flow.count}" + ("" if k else ": codes from N(0, I)"))

    @torch.no_grad()
    def sample(self, noise: Noise, y: Tensor | None = None, settings: SlicedFlowSettings | None = None) -> Tensor:
        """Where the flow ends, decoded once."""
        y = self.settled(y, noise)
        *_, z = self.moved(noise, y, settings or self.Settings())
        return self.decode(z, y)
