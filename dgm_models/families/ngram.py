"""n-grams: p(next | the n - 1 tokens before it), counted and smoothed (Kneser and Ney, 1995). Learning is remembering the text."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from dgm_models.conditions import NOTHING, Condition
from dgm_models.data.text import rejoined
from dgm_models.families.text import TextModel
from dgm_models.networks.ngram import KneserNey
from dgm_models.spaces import Tokens


class NGram(TextModel):
    descends = False

    def __init__(self, network: KneserNey, space: Tokens, condition: Condition = NOTHING) -> None:
        super().__init__(network, space, condition)

    def fit(self, x: Tensor, y: Tensor, *, steps: int, seed: int = 0) -> Iterator[tuple[int, float]]:
        """Keep the texts that the windows (n, length) were cut from."""
        text = rejoined(x, self.space.end)
        if len(text) != len(self.network.tokens):
            raise ValueError(f"expected texts of {len(self.network.tokens)} tokens in all, got {len(text)}")
        self.network.tokens.copy_(text)
        yield 0, 0.0
