"""Tokens counted: p(next | the n - 1 before it) with interpolated Kneser-Ney smoothing (Kneser and Ney, 1995; Chen and Goodman, 1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_models.networks.raster import Causal, Prefix


@dataclass(frozen=True)
class Grams:
    """All different sequences of k tokens as sorted numbers, and of each: how often it came, and after how many different tokens."""

    keys: np.ndarray
    count: np.ndarray
    kinds: np.ndarray


class Sums:
    """What smoothing asks of the counts of sequences that begin alike: sums from one place of a table to another."""

    def __init__(self, grams: Grams, top: bool) -> None:
        self.keys, self.count = grams.keys, grams.count if top else grams.kinds
        often = [int((self.count == times).sum()) for times in (1, 2, 3, 4)]
        share = often[0] / max(1, often[0] + 2 * often[1])
        off = [k + 1 - (k + 2) * share * often[k + 1] / max(1, often[k]) for k in range(3)]
        self.off = np.array([0.0, *(min(max(each, 0.05), k + 0.95) for k, each in enumerate(off))])[np.minimum(self.count, 3)]
        self.total, self.kept = (np.concatenate([[0.0], np.cumsum(each)]) for each in (self.count, self.off))


class KneserNey(Causal):
    """What it learned is the text itself, `tokens`, in which `between` parts one text from the next; counted when it is first asked.

    levels: of a token, the end among them, which is what parts texts. order: n.
    """

    def __init__(self, length: int, levels: int, size: int, order: int = 6) -> None:
        super().__init__()
        if levels**order >= 2**63:
            raise ValueError(f"expected an order at which sequences of {levels} tokens can be numbered, got {order}")
        self.shape, self.levels, self.order = (length,), levels, order
        self.register_buffer("tokens", torch.full((size,), levels - 1, dtype=torch.int16))
        self._sums: list[Sums] = []

    @property
    def evaluated(self) -> tuple[()]:
        return ()

    def counted(self, order: int) -> list[Sums]:
        """Of 1 to `order` tokens."""
        if len(self._sums) != order:
            tables = [grams(self.tokens.numpy().astype(np.int64), k, self.levels) for k in range(1, order + 2)]
            self._sums = [Sums(_with_kinds(tables[k], tables[k + 1], k + 1, self.levels), k + 1 == order) for k in range(order)]
        return self._sums

    def probabilities(self, before: np.ndarray, known: np.ndarray) -> np.ndarray:
        """before: the order - 1 tokens before each place, (m, order - 1), of which the last `known` (m,) are there -> (m, levels)."""
        sums = self.counted(self.order)
        p = np.full((len(before), self.levels), 1 / (self.levels - 1))
        p[:, -1] = 0
        for k, table in enumerate(sums):
            place = np.zeros(len(before), np.int64)
            for token in before[:, before.shape[1] - k :].T:
                place = place * self.levels + token
            first = np.searchsorted(table.keys, place * self.levels)
            last = np.where(known >= k, np.searchsorted(table.keys, (place + 1) * self.levels), first)
            total = table.total[last] - table.total[first]
            seen = total > 0
            p[seen] *= ((table.kept[last] - table.kept[first])[seen] / total[seen])[:, None]
            many = np.where(seen, last - first, 0)
            rows = np.repeat(np.arange(len(before)), many)
            at = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)
            p[rows, table.keys[at] % self.levels] += (table.count[at] - table.off[at]) / total[rows]
        return p

    def forward(self, levels: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        n, length = levels.shape
        at = torch.arange(length).expand(n, -1) if at is None else at
        padded = torch.cat([torch.zeros(n, self.order - 1, dtype=torch.long), levels], 1)
        before = padded.unfold(1, self.order - 1, 1).gather(1, at[..., None].expand(-1, -1, self.order - 1)) if self.order > 1 else None
        context = np.zeros((at.numel(), 0), np.int64) if before is None else before.flatten(0, 1).numpy()
        p = self.probabilities(context, at.flatten().numpy().clip(max=self.order - 1))
        return torch.from_numpy(p).clamp_min(1e-30).log().float().view(n, -1, self.levels)

    def read(self, prefix: Prefix, levels: Tensor) -> None:
        prefix.levels[:, : levels.shape[1]], prefix.at = levels, levels.shape[1]


def grams(tokens: np.ndarray, k: int, levels: int) -> Grams:
    """All sequences of k tokens, without those across two texts."""
    if len(tokens) < k:
        return Grams(*np.zeros((3, 0), np.int64))
    place, whole = np.zeros(len(tokens) - k + 1, np.int64), np.ones(len(tokens) - k + 1, bool)
    for i in range(k):
        part = tokens[i : len(tokens) - k + 1 + i]
        place, whole = place * levels + part, whole & (part != levels - 1)
    keys, count = np.unique(place[whole], return_counts=True)
    return Grams(keys, count, count)


def _with_kinds(table: Grams, longer: Grams, k: int, levels: int) -> Grams:
    """After how many different tokens each sequence came: how many different longer ones end with it. What begins a text came after none,
    and counts as one."""
    ends, kinds = np.unique(longer.keys % levels**k, return_counts=True)
    found = np.ones_like(table.count)
    found[np.searchsorted(table.keys, ends)] = kinds
    return Grams(table.keys, table.count, found)
