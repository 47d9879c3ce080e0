"""Models of strings that end, such as molecules written as SMILES: p(string | y) = prod_i p(token i | tokens before it, y), the end among
the tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models.contracts import Frame, Noise, Settings, knob
from dgm_models.families.autoregressive import Autoregressive


@dataclass(frozen=True)
class StringSettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="divides the logits; 0: always the likeliest token")
    top_p: float = knob(1.0, "Nucleus top-p", 0.05, 1.0, step=0.01, help="draw from the likeliest tokens that hold this share, no others")
    guidance_scale: float = knob(1.0, "Guidance scale", 0.0, 4.0, step=0.1, help="1: none; more: follow what is asked for harder")


class Strings(Autoregressive):
    """See `Autoregressive`. A frame a token, until all have ended."""

    Settings = StringSettings

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: StringSettings | None = None) -> Iterator[Frame]:
        settings = settings or self.Settings()
        frames = super().trace(noise, y, _Film(**vars(settings), frames=self.space.size + 1))
        for at, frame in enumerate(frames):
            yield frame._replace(note=f"{at} tokens")
            if at and bool((frame.x[:, at - 1] == self.space.end).all()):
                return

    def log_chances(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The logarithms of the chances of every token in the place of each, given those before it: (n, length, tokens and the end). To be
        differentiated; after the end comes the end, which costs nothing."""
        return self._logits(x, self.labels(y, len(x))).log_softmax(2)

    def sample(self, noise: Noise, y: Tensor | None = None, settings: StringSettings | None = None) -> Tensor:
        """The last frame, without the others."""
        *_, last = self.trace(noise, y, settings)
        return last.x


@dataclass(frozen=True)
class _Film(StringSettings):
    frames: int = knob(2, "Frames of the film", 2, 400, step=1)
