"""Translation without pairs: what is known of pairs is used to measure, and by nothing else."""

from __future__ import annotations

import pytest
import torch

from dgm_models.applications import translating as t
from dgm_models.data import usps


def test_the_partner_of_a_held_out_emoji_is_found_and_of_another_picture_none():
    one, other = t.pairs()
    assert t.partner(one[5:6], 1) == 5
    assert t.partner(other[7:8], 0) == 7
    assert t.partner(torch.rand(1, 3, 32, 32), 1) is None


def test_true_partners_are_nearest_to_themselves_and_chance_is_rare():
    one, other = t.pairs()
    assert t.nearest_is_partner(other, other) > 0.98  # a few flags are the same flag
    assert t.nearest_is_partner(other[torch.randperm(len(other), generator=torch.Generator().manual_seed(0))], other) < 0.03
    assert t.nearest_is_partner(one, other) > 0.05  # the styles share shapes and colours


def test_digits_of_one_hand_are_as_large_as_those_of_the_other():
    x = torch.zeros(1, 1, 28, 28)
    x[..., 4:24, 13:15] = 1
    small = usps.smaller(x)
    assert small.shape == (1, 1, 16, 16)
    assert small.amax() <= 1
    rows = (small[0, 0].sum(1) > 0.2).nonzero()
    assert rows.max() - rows.min() >= 12


def test_a_translation_goes_there_and_back_and_says_what_was_lost():
    x = t.pairs()[0][:3]
    made = t.there_and_back(t.EMOJI, x, 1)
    assert made.y.shape == made.back.shape == made.error.shape == x.shape
    assert (made.y - x).abs().mean() > 0.01
    assert (made.back - x).abs().mean() < (made.y - x).abs().mean()
    assert made.receipt.evaluations == 2
    lost = [(t.there_and_back(id, x, 1).back - x).abs().mean() for id in t.WEIGHTS.values()]
    assert lost[0] < lost[2]
    with pytest.raises(ValueError, match="at once"):
        t.there_and_back(t.EMOJI, x[:0], 1)
    with pytest.raises(ValueError, match="kind 0 or 1"):
        t.there_and_back(t.EMOJI, x, 2)
