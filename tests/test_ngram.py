"""n-grams: what they count, that their probabilities are some, and that texts are put together from their windows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from dgm_models.contracts import Noise
from dgm_models.data.text import rejoined, windows
from dgm_models.families.ngram import NGram
from dgm_models.networks.ngram import KneserNey
from dgm_models.spaces import Tokens

SPACE = Tokens("abc", 4)
TEXT = "abcabcabbacabcab"


def counted(text: str, order: int) -> NGram:
    tokens = torch.tensor(SPACE.split(text))
    made = NGram(KneserNey(4, 4, len(tokens), order), SPACE)
    made.network.tokens.copy_(tokens)
    return made.eval()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_probabilities_of_all_texts_of_a_length_sum_to_one(order):
    model = counted(TEXT, order)
    every = torch.tensor(list(itertools.product(range(3), repeat=4)))
    assert (-model.surprise(every)).sum(1).exp().sum().item() == pytest.approx(1, abs=1e-6)


def test_what_came_often_is_likely_and_what_never_came_is_not_impossible():
    model = counted(TEXT, 3)
    _, b, c = (torch.tensor(SPACE.split(letter)) for letter in "abc")
    after_ab = model.read_logits(torch.tensor([SPACE.split("abc")]))[0, 2].exp()
    assert after_ab.argmax() == c
    assert after_ab[b] > 0
    assert after_ab[-1] == 0, "the end never comes within a text"


def test_one_token_before_is_as_kneser_and_ney_say_by_hand():
    """After "a": b came 4 times and c once; b came after 2 different letters (a, b), c after 2 (b, a), a after 2 (c, b)."""
    model = counted("abacababab", 2)
    table = model.network.counted(2)
    assert table[1].count.tolist() == [4, 1, 3, 1]  # ab, ac, ba, ca
    assert table[0].count.tolist() == [2, 1, 1]  # different letters before a, b, c
    off = table[1].off
    p = model.network.probabilities(np.array([[0]]), np.array([1]))[0]
    lower = model.network.probabilities(np.array([[0]]), np.array([0]))[0]
    gamma = (off[0] + off[1]) / 5
    assert p[1] == pytest.approx((4 - off[0]) / 5 + gamma * lower[1])
    assert p[0] == pytest.approx(gamma * lower[0])


def test_windows_are_put_together_again():
    texts = ["abcabcabbacabcabccba", "ccbbaacbabcabcbcabca"]
    x, y = windows(texts, SPACE, stride=2)
    assert y.tolist() == [-1] * len(x)
    joined = rejoined(x, SPACE.end, stride=2).tolist()
    assert joined == [*SPACE.split(texts[0]), SPACE.end, *SPACE.split(texts[1])]


def test_it_learns_by_keeping_the_text_and_draws_from_it():
    learned = "abc" * 60
    x, y = windows([learned], SPACE, stride=8)
    kept = len(rejoined(x, SPACE.end))
    model = NGram(KneserNey(4, 4, kept, 3), SPACE)
    with pytest.raises(ValueError, match=f"expected texts of 7 tokens in all, got {kept}"):
        next(NGram(KneserNey(4, 4, 7, 3), SPACE).fit(x, y, steps=1))
    next(model.fit(x, y, steps=1))
    drawn = torch.stack(list(model.continued(torch.tensor([[2, 0]]), Noise([1]), 12, model.Settings(temperature=0.0))), 1)
    assert drawn.tolist() == [[1, 2, 0] * 4]
