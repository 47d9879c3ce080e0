"""P(next word | words before it), counted: n-grams of Shakespeare's words, with Kneser and Ney's smoothing, as of letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from dgm_models.applications.language import prompt_tokens
from dgm_models.contracts import Noise, check_seed
from dgm_models.data import shakespeare
from dgm_models.networks.ngram import KneserNey
from dgm_models.probability import draw, sharpen

ORDERS = 4  # words in a row that are counted together, at most
WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*|[^\sA-Za-z]|\n")
RARE = "…"  # stands for each word that came only once
LETTERS = 110  # to go on for, at least


def split(text: str) -> list[str]:
    """Words, marks and line breaks."""
    return WORD.findall(text)


def joined(words: Sequence[str]) -> str:
    """Words as a text again."""
    text = " ".join(words)
    return re.sub(r" ?\n ?", "\n", re.sub(r" ([,.;:?!])", r"\1", text))


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """What came at least twice in what models learn from, and RARE."""
    count = Counter(split(shakespeare.text()[0]))
    return (*sorted(word for word, times in count.items() if times > 1), RARE)


def numbers(words: Sequence[str]) -> list[int]:
    """Their places in the vocabulary, RARE for what is not in it."""
    places = {word: at for at, word in enumerate(vocabulary())}
    return [places.get(word, len(places) - 1) for word in words]


@lru_cache(maxsize=ORDERS)
def counted(order: int) -> KneserNey:
    """What follows what, of so many words in a row."""
    text = torch.tensor(numbers(split(shakespeare.text()[0])))
    made = KneserNey(1, len(vocabulary()) + 1, len(text), order)
    made.tokens.copy_(text)
    return made


def following(order: int, before: Sequence[int]) -> np.ndarray:
    """P(next word | the order - 1 before it), (words,)."""
    context = np.array([before[max(0, len(before) - order + 1) :]] if order > 1 else [[]], np.int64)
    missing = order - 1 - context.shape[1]
    padded = np.concatenate([np.zeros((1, missing), np.int64), context], 1)
    return counted(order).probabilities(padded, np.array([context.shape[1]]))[0, :-1]


def next_words(order: int, prompt: str, count: int = 8) -> list[tuple[str, float]]:
    """The likeliest words after a prompt, and their chances."""
    prompt_tokens(shakespeare.SPACE, prompt)
    chances = following(order, numbers(split(prompt)))
    return [(vocabulary()[at], float(chances[at])) for at in np.argsort(-chances, kind="stable")[:count]]


def continuation(order: int, prompt: str, seed: int, temperature: float) -> str:
    """What words add to a prompt; none of those that came only once. ValueError for a prompt that cannot be spelt."""
    prompt_tokens(shakespeare.SPACE, prompt)
    noise, words, said = Noise([check_seed(seed)]), numbers(split(prompt)), []
    while len(joined(said)) < LETTERS:
        chances = torch.from_numpy(following(order, words)[:-1])
        at = int(draw(sharpen(chances.clamp_min(1e-30).log()[None].float(), temperature), noise.uniform(1)[:, 0]))
        words.append(at)
        said.append(vocabulary()[at])
    return joined(said)


def nats(order: int) -> float:
    """-log P a word of what was held out, its rare words as RARE."""
    words, total = np.array(numbers(split(shakespeare.text()[1]))), 0.0
    padded = np.concatenate([np.zeros(order - 1, np.int64), words])
    before = np.lib.stride_tricks.sliding_window_view(padded, order)[:, :-1]
    for at in range(0, len(words), 200):
        p = counted(order).probabilities(before[at : at + 200], np.minimum(np.arange(at, min(at + 200, len(words))), order - 1))
        total -= float(np.log(np.maximum(p[np.arange(len(p)), words[at : at + 200]], 1e-30)).sum())
    return total / len(words)
