"""What models of texts are measured with."""

from __future__ import annotations

import math
import re
import time
from typing import Any

import torch
from torch import Tensor, nn

from dgm_models import catalog
from dgm_models.applications import language
from dgm_models.applications.words import ORDERS
from dgm_models.applications.words import nats as nats_a_word
from dgm_models.contracts import Noise
from dgm_models.evaluation.material import held_out
from dgm_models.families.ngram import NGram
from dgm_models.families.text import TextModel
from dgm_models.modalities import text as texts
from dgm_models.networks.raster import Causal

Scores = dict[str, Any]
RUNS, COMPARED, LENGTH, AROUND = 200, 60, 100, 10  # texts with words in them, how many also otherwise; tokens; letters beside a word
COMMON = 6  # times that a word comes in what was held out, to be asked for


def perplexity(id: str, model: nn.Module) -> Scores:
    """-log p of the held-out windows, cold start included, a token and a byte; of an n-gram of letters for each order up to 8, and of words
    up to 4."""
    if not isinstance(model, TextModel):
        return {}
    x = held_out(catalog.recipe(id).data)[0]
    total = _nats(model, x)
    size = sum(len(text.encode()) for text in texts.words(model.space, x))
    scores: Scores = {"nats_token": total / x.numel(), "bits_byte": total / size / math.log(2), "text_windows": len(x)}
    if isinstance(model, NGram) and id == "ngram-shakespeare":
        scores["nats_by_order"] = [round(_nats(language.counted(order), x) / x.numel(), 4) for order in range(1, 9)]
        scores["nats_word_by_order"] = [round(nats_a_word(order), 4) for order in range(1, ORDERS + 1)]
    return scores


def _nats(model: TextModel, x: Tensor) -> float:
    return -float(sum(model.log_prob(part).sum() for part in x.split(50)))


def writing(id: str, model: nn.Module, count: int = 600) -> Scores:
    """Seconds for 600 tokens after an empty line, from a cache; and how many times longer reading everything anew takes, on 60 of them."""
    if not isinstance(model, TextModel) or isinstance(model, NGram):
        return {}
    start = torch.tensor([model.space.split("\n")])

    def seconds(many: int) -> float:
        began = time.perf_counter()
        for _ in model.continued(start.repeat(1, 100) if many < count else start, Noise([0]), many):
            pass
        return time.perf_counter() - began

    seconds(20)
    cached, some = seconds(count), seconds(60)
    model.network, network = Plain(model.network), model.network
    try:
        anew = seconds(60)
    finally:
        model.network = network
    return {"seconds_600": cached, "times_recomputed": anew / some}


class Plain(Causal):
    """A network without its cache: each prediction reads everything again."""

    def __init__(self, network: Causal) -> None:
        super().__init__()
        self.shape, self.inner = network.shape, network

    def forward(self, levels: Tensor, y: Tensor, at: Tensor | None = None) -> Tensor:
        return self.inner(levels, y, at)

    def read(self, prefix: Any, levels: Tensor) -> None:
        prefix.levels[:, : levels.shape[1]], prefix.at = levels, levels.shape[1]


def included(id: str, model: nn.Module, runs: int = RUNS) -> Scores:
    """200 texts of 100 tokens with one to three words that must come, of those that come in what was held out: how many are there as whole
    words. And of 60, what the letters around each word cost the model, 10 at each side, a letter: where the words fit best, at random, and
    in the middle of texts without any."""
    if not isinstance(model, TextModel):
        return {}
    known = _common(id)
    order = torch.randperm(len(known) * 5, generator=torch.Generator().manual_seed(0)) % len(known)
    there, nats, asked = 0, {way: [] for way in (*language.WAYS, "free")}, 0
    for run in range(runs):
        words = [known[int(order[(3 * run + i) % len(order)])] for i in range(1 + run % 3)]
        for way in nats if run < COMPARED else language.WAYS[:1]:
            *_, said = language.write(id, "\n\n", LENGTH, run, words=() if way == "free" else words, way=way if way != "free" else "")
            if run < COMPARED:
                cost = model.surprise(torch.tensor([said.numbers]))[0]
                places = _places(said) if way != "free" else [len(said.text) // 2]
                nats[way] += [_around(said.tokens, cost, at) for at in places]
            if way == language.WAYS[0]:
                asked += len(words)
                there += sum(bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said.text)) for word in words)
    mean = {way: sum(each) / len(each) for way, each in nats.items()}
    return {
        "words_asked": asked,
        "words_there": there / asked,
        "around_words": mean[language.WAYS[0]],
        "around_words_at_random": mean[language.WAYS[1]],
        "around_nothing": mean["free"],
    }


def _common(id: str) -> list[str]:
    """Words in lower case of 4 to 9 letters that come a few times in what was held out."""
    text = " ".join(texts.words(catalog.dataset(id).space, held_out(catalog.recipe(id).data)[0]))
    found: dict[str, int] = {}
    for word in re.findall(r"\b[a-z]{4,9}\b", text):
        found[word] = found.get(word, 0) + 1
    return sorted(word for word, times in found.items() if times >= COMMON)


def _places(said: language.Written) -> list[int]:
    """The middle letter of each word that was asked for."""
    at, places, start = 0, [], None
    for token, kind in zip([*said.tokens, ""], [*said.kinds, language.MADE], strict=True):
        if kind == language.ASKED and start is None:
            start = at
        if kind != language.ASKED and start is not None:
            places.append((start + at) // 2)
            start = None
        at += len(token)
    return places


def _around(tokens: list[str], nats: Tensor, at: int) -> float:
    """What the letters around a place cost, a letter; a token shares what it cost among its letters."""
    lengths = list(map(len, tokens))
    each = torch.repeat_interleave(nats / torch.tensor(lengths), torch.tensor(lengths))
    return float(each[max(0, at - AROUND) : at + AROUND].mean())
