"""Models of texts: p(text) = prod_i p(token i | tokens before it), by a network that sees so many tokens at a time.

Texts may be longer than what the network sees: then its second half is read anew, and writing goes on from there. Where that happens
depends on the place in the text alone, so that what is read and what is written have the same chances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models.contracts import Noise, Settings, knob
from dgm_models.families.autoregressive import Autoregressive
from dgm_models.networks.raster import Prefix
from dgm_models.probability import draw, log_chosen, sharpen


@dataclass(frozen=True)
class TextSettings(Settings):
    temperature: float = knob(0.8, "Temperature", 0.0, 1.5, step=0.05, help="divides the logits; 0: always the likeliest token")
    top_p: float = knob(0.95, "Nucleus top-p", 0.05, 1.0, step=0.01, help="draw from the likeliest tokens that hold this share, no others")
    frames: int = knob(33, "Frames of the film", 2, 400, step=1, advanced=True)


@dataclass
class Reading:
    """Texts (n, k) that were read to their end, and what is remembered of the part that the network sees."""

    tokens: Tensor
    prefix: Prefix

    def rows(self, index: Tensor) -> Reading:
        return Reading(self.tokens[index], self.prefix.rows(index))


class TextModel(Autoregressive):
    """network(levels (n, length), labels, positions (n, k)) -> logits (n, k, tokens and the end)."""

    Settings = TextSettings

    def guidance(self, settings: TextSettings) -> float:
        return 1.0

    @property
    def sees(self) -> int:
        """How many tokens before the next one the network may see."""
        return self.space.length - 1

    def begins(self, at: int) -> int:
        """Where what the network sees of a text begins, for the token at a place: at 0, or so that it sees at least half of what it can."""
        half = (self.sees + 1) // 2
        return max(0, -(-(at - self.sees) // half) * half)

    # reading ----------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def opened(self, tokens: Tensor) -> Reading:
        """Texts (n, k) of any length, read to their end."""
        prefix = self.network.begin(self.condition.null(len(tokens)))
        self.network.read(prefix, tokens[:, self.begins(tokens.shape[1]) :])
        return Reading(tokens, prefix)

    @torch.no_grad()
    def next_logits(self, reading: Reading) -> Tensor:
        """Of the next token, (n, tokens and the end): a text that goes on does not end."""
        logits = self.network.predict(reading.prefix).float()
        return logits.index_fill(1, torch.tensor([self.space.end]), -torch.inf)

    @torch.no_grad()
    def follow(self, reading: Reading, token: Tensor) -> Reading:
        """After one token more of each text, (n,)."""
        tokens = torch.cat([reading.tokens, token[:, None]], 1)
        if self.begins(tokens.shape[1]) != self.begins(tokens.shape[1] - 1):
            return self.opened(tokens)
        self.network.append(reading.prefix, token)
        return Reading(tokens, reading.prefix)

    @torch.no_grad()
    def read_logits(self, tokens: Tensor) -> Tensor:
        """Of each token of texts (n, k) of any length given those before it, as they would be drawn: (n, k, tokens and the end)."""
        n, count = tokens.shape
        parts, at = [torch.empty(n, 0, self.levels)], 0
        while at < count:
            start = self.begins(at)
            stop = min(count, start + self.space.length)
            levels = torch.full((n, self.space.length), self.space.end)
            levels[:, : stop - start] = tokens[:, start:stop]
            where = torch.arange(at - start, stop - start).expand(n, -1)
            parts.append(self.network(levels, self.condition.null(n), where).float())
            at = stop
        return torch.cat(parts, 1).index_fill(2, torch.tensor([self.space.end]), -torch.inf)

    def surprise(self, tokens: Tensor) -> Tensor:
        """-log p of each token of texts (n, k) given those before it, in nats, (n, k)."""
        return -log_chosen(self.read_logits(tokens), tokens)

    # writing ----------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def continued(self, tokens: Tensor, noise: Noise, count: int, settings: TextSettings | None = None) -> Iterator[Tensor]:
        """`count` tokens more of each text (n, k), one after another: (n,) at a time."""
        settings = settings or self.Settings()
        chance, reading = noise.uniform(count), self.opened(tokens)
        for i in range(count):
            token = draw(sharpen(self.next_logits(reading), settings.temperature, settings.top_p), chance[:, i])
            yield token
            reading = self.follow(reading, token)
