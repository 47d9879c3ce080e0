"""Views: how each kind of x is looked at in the player, and what can be saved of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from dgm_models.modalities import dots, elements
from dgm_models.modalities.views import DOTS, PHOTOS, PICTURES, before, texts, view_of
from dgm_models.spaces import Pixels, Reals, Tokens
from dgm_models.ui.film import Film, Row, saved, still

LETTERS = Tokens("ab \n", 12)


def test_each_space_has_its_view():
    assert view_of(Pixels(1, 8)) is PICTURES
    assert view_of(Pixels(3, 8)) is PHOTOS is view_of(Pixels(1, 8), ink=False)
    assert view_of(Reals((2,))) is DOTS
    assert view_of(LETTERS).kind == "text"
    with pytest.raises(ValueError, match="expected pictures, texts or points of the plane"):
        view_of(Reals((5,)))


def test_texts_are_shown_to_where_they_end_and_saved_as_text():
    from dgm_models.contracts import Frame

    frames = [Frame(elements.read(LETTERS, two), "") for two in (["", "b"], ["ab", "b b"], ["ab\nba", "b b"])]
    shown = Film([Row(frames, 1, view=texts(LETTERS))], name="words").value()
    assert shown["rows"][0]["texts"] == [["", "b"], ["ab", "b b"], ["ab\nba", "b b"]]
    assert saved(shown, "txt") == b"ab\nba\n\nb b\n"
    assert Image.open(io.BytesIO(saved(shown, "gif"))).n_frames == 3
    with pytest.raises(ValueError, match="expected an ending of txt, gif, got 'npy'"):
        saved(shown, "npy")


def test_dots_lie_where_their_points_are():
    """Within half a step of the 255 that travel; the second axis upwards; one tile for one cloud; what lies outside is not shown."""
    x = torch.tensor([[-2.1, -2.1], [2.1, 2.1], [0.3, -1.0]])
    shown = Film([Row(still(x), 1, view=before(x[:1]))], name="points").value()
    row = shown["rows"][0]
    back = torch.from_numpy(dots.places(row["points"]).astype(np.float32) - 1) / 254 * 4.2 - 2.1
    assert (back - x).abs().max() <= 4.2 / 254 / 2 + 1e-6
    assert dots.places(dots.pack([torch.tensor([[0.0, 9.0], [0.0, 0.0]])], 1)["points"]).tolist() == [[0, 0], [128, 128]]
    page = np.asarray(Image.open(io.BytesIO(saved(shown, "png"))))
    assert tuple(page[1, -2]) == dots.INK["model"]
    assert tuple(page[-2, 1]) == dots.INK["model"]
    assert np.load(io.BytesIO(saved(shown, "npy"))).shape == (3, 2)


def test_rows_of_several_kinds_are_saved_below_each_other():
    points, picture = torch.zeros(2, 5, 2), torch.ones(1, 1, 4, 4)
    shown = Film([Row(still(picture), 1), Row(still(points), 2, view=DOTS)], name="both").value()
    assert [row.get("view", "pictures") for row in shown["rows"]] == ["pictures", "dots"]
    page = Image.open(io.BytesIO(saved(shown, "png")))
    assert page.size == (2 * dots.SIDE + dots.GAP, 4 * 4 + 8 + dots.SIDE)
