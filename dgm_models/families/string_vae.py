"""A variational autoencoder of strings that end: a code of a few numbers for each, and all tokens decoded from it at once."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dgm_models.contracts import Settings, knob
from dgm_models.families.vae import VAE


@dataclass(frozen=True)
class StringVAESettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the latent noise; 0: the most typical string")
    pixels: str = knob("mean", "Tokens", choices=("mean", "drawn"), help="the likeliest of p(x | z) in each place, or drawn from it")
    frames: int = knob(1, "Frames of the film", 1, 30, step=1, advanced=True)


class StringVAE(VAE):
    """See `VAE`; network.decode gives logits of tokens, (n, levels, length)."""

    Settings = StringVAESettings
    restores = ()

    def posterior(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """q(z | x): mean and log standard deviation, each (n, latent)."""
        mean, log_std = self.network.encode(x, y).float().chunk(2, dim=1)
        return mean, log_std.clamp(-8, 4)
