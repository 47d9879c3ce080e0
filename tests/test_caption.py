"""Captions: what they say is what is meant, in known words, and what is meant is found again in them."""

from __future__ import annotations

import pytest
import torch

from dgm_models.data.avatars import told_test
from dgm_models.modalities import avatar
from dgm_models.modalities import caption as c


def random_rows(count=300, said=0.7, seed=0):
    """Attributes of pictures of both kinds, some of them left out."""
    stream = torch.Generator().manual_seed(seed)
    rows = torch.full((count, len(c.NAMES)), c.UNSAID)
    for i, kind in enumerate(torch.randint(0, 2, (count,), generator=stream).tolist()):
        rows[i, 0] = kind
        for at in c.OF[tuple(c.KINDS)[kind]]:
            if torch.rand((), generator=stream) < said:
                rows[i, at] = torch.randint(0, len(c.ATTRIBUTES[c.NAMES[at]]), (), generator=stream)
    return rows


def row_of(**said):
    return torch.tensor([c.ATTRIBUTES[n].index(said[n.replace(" ", "_")]) if n.replace(" ", "_") in said else c.UNSAID for n in c.NAMES])


SEVEN = {"kind": "scene", "digit": "seven", "colour": "red", "size": "large", "lean": "leaning left", "ground": "yellow"}
SEVEN |= {"shape": "circle", "shape_colour": "blue", "shape_size": "small", "place": "above"}
FACE = {"kind": "face", "mood": "happy", "hair": "long", "hair_colour": "red", "glasses": "glasses", "hat": "a hat", "beard": "no beard"}
FACE |= {"shirt": "green", "background": "pink"}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (SEVEN, "a large red seven leaning left on a yellow ground, above a small blue circle"),
        ({"kind": "scene"}, "a digit"),
        ({"kind": "scene", "shape_colour": "blue"}, "a digit, with a blue shape"),
        ({"kind": "scene", "shape_colour": "blue", "place": "left of"}, "a digit, left of a blue shape"),
        ({"kind": "scene", "digit": "eight", "shape_colour": "orange", "place": "left of"}, "an eight, left of an orange shape"),
        (FACE, "a happy face with long red hair, glasses, a hat, no beard in a green shirt on a pink background"),
        ({"kind": "face"}, "a face"),
        ({"kind": "face", "hat": "a hat"}, "a face with a hat"),
    ],
)
def test_a_caption_says_what_is_meant_and_is_understood_so(said, text):
    assert c.caption(row_of(**said)) == text
    assert torch.equal(c.understood(text), row_of(**said))


def test_every_caption_is_in_known_words_and_says_what_no_other_does():
    rows = random_rows()
    said = [c.caption(row) for row in rows]
    assert len(set(said)) == len({tuple(row) for row in rows.tolist()})
    assert not any(c.split(text)[1] for text in said)
    # a shape of which nothing is said and that lies nowhere is not there
    assert all(torch.equal(c.understood(text), row) for text, row in zip(said, rows, strict=True))


def test_letter_case_signs_and_numerals_do_not_matter():
    assert torch.equal(c.read(["a seven above a circle"]), c.read(["A  7, above a CIRCLE!"]))


def test_unknown_words_are_named_and_never_guessed():
    assert c.split("A 7, dreaming of a rad circle") == (["a", "seven", "of", "a", "circle"], ["dreaming", "rad"])
    with pytest.raises(ValueError, match="expected 1 to"):
        c.read(["dreaming"])
    with pytest.raises(ValueError, match="expected 1 to"):
        c.read(["red " * 30])
    with pytest.raises(ValueError, match="at least one word"):
        c.understood("?")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a red circle", "a digit, with a red circle"),
        ("a blue star below a red seven", "a red seven, above a blue star"),
        ("a small square left of an orange 8", "an orange eight, right of a small square"),
        ("a seven on a red ground", "a seven"),
        ("a seven on a purple ground above a green circle", "a seven, above a green circle"),
        ("on a pink ground a four", "a four on a pink ground"),
    ],
)
def test_a_shape_may_come_first_and_a_ground_colours_nothing_else(text, meant):
    assert c.caption(c.understood(text)) == meant


def test_words_in_another_order_are_taken_for_what_they_stand_beside():
    row = c.understood("seven, red, on a pink ground, right of a star that is small")
    assert c.caption(row) == "a red seven on a pink ground, right of a small star"
    assert c.caption(c.understood("blue hair and sunglasses")) == "a face with blue hair, sunglasses"


def test_what_is_said_of_a_face_is_in_its_picture():
    x, rows = told_test()
    backgrounds = list(avatar.BACKGROUNDS.values())
    corner = ["#" + bytes(each[:, 0, 0].tolist()).hex() for each in x]
    said = rows[:, avatar.NAMES.index("background")].tolist()
    assert sum(colour in backgrounds[at] for colour, at in zip(corner, said, strict=True)) > 0.95 * len(x)  # hair may reach there
    shirts = list(avatar.SHIRTS.values())
    below = [{"#" + bytes(pixel).hex() for pixel in each[:, -1].T.tolist()} for each in x]
    said = rows[:, avatar.NAMES.index("shirt")].tolist()
    assert sum(bool(set(shirts[at]) & there) for there, at in zip(below, said, strict=True)) > 0.95 * len(x)
    assert torch.equal(avatar.enlarged(x, 64)[:, :, ::4, ::4], x)


def test_a_twin_has_the_same_words_in_other_places():
    row = c.understood("a large red seven above a small blue circle")
    twin = c.exchanged(row)
    assert c.caption(twin) == "a small blue seven, above a large red circle"
    assert torch.equal(c.exchanged(twin), row)
    face = c.understood("a happy face with red hair in a blue shirt")
    assert c.caption(c.exchanged(face)) == "a happy face with blue hair in a red shirt"
    with pytest.raises(ValueError, match="two colours or two sizes"):
        c.exchanged(c.understood("a red seven above a red circle"))
    with pytest.raises(ValueError, match="two colours or two sizes"):
        c.exchanged(c.understood("a happy face with red hair"))
    with pytest.raises(ValueError, match="two colours or two sizes"):
        c.exchanged(c.understood("a happy face with black hair in a red shirt"))  # no shirt is black
