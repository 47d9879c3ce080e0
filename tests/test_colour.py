"""Pictures in colour through the whole house: every family of pictures takes 3 x 8 x 8, and nothing in it sees the red alone."""

from __future__ import annotations

import pytest
import torch

from dgm_models.contracts import Noise, last
from dgm_models.measurements import Bicubic, Grey, Hide, Shrink
from tests.conftest import FAMILIES, TINTED, build, toy_data

HALF = Hide(torch.tensor([[[True, False] * 4] * 8]))
AWAY = {"Hide": HALF, "Shrink": Shrink(2), "Grey": Grey(), "Bicubic": Bicubic(2)}
STEPS = {"steps": 4, "sweeps": 3}


def few_steps(kind):
    knobs = kind.knobs()
    return kind(**{name: value for name, value in STEPS.items() if name in knobs})


@pytest.fixture(scope="module")
def untrained():
    made = {}

    def get(family):
        if family not in made:
            made[family] = build(family, TINTED).eval().requires_grad_(False)
            for p in made[family].parameters():  # a last layer of zeros hides the layers before it
                p.data += 0.02 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1))
        return made[family]

    return get


@pytest.mark.parametrize("family", FAMILIES)
def test_every_colour_counts(untrained, family):
    """What is drawn lies in the space; a loss is finite, and hears of a change in any colour; so does log p."""
    model, (x, y) = untrained(family), toy_data(TINTED)
    x, y = x[:8], y[:8]
    model.space.check(model.sample(Noise([1, 2]), y[:2], few_steps(model.Settings)))
    if family == "distilled":
        model.learn_from(build("diffusion", TINTED).network, 1.0, 2, 2)

    def loss(x):
        torch.manual_seed(0)
        return model.loss(x, y, next(iter(model.players())))

    assert torch.isfinite(loss(x))
    quick = {"k": 1} if family == "any_order" else {"steps": 4} if family == "diffusion" else dict(model.quick)
    for colour in range(3):
        other = x.clone()
        other[:, colour] = 1 - other[:, colour].round()
        assert loss(other) != loss(x), colour
        if hasattr(model, "log_prob"):
            assert (model.log_prob(other, y, **quick) != model.log_prob(x, y, **quick)).all(), colour


@pytest.mark.parametrize("way", AWAY)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_seen_of_a_colour_picture_stays(untrained, family, way):
    """Whatever linear map hid the rest, for every family that undoes its kind; the others refuse it by name."""
    model, away = untrained(family), AWAY[way]
    x, y = toy_data(TINTED)
    seen = away(x[:2]).clamp(0, 1) if way == "Bicubic" else away(x[:2])
    ask = {"settings": few_steps(model.Restoring)}
    if not model.restores:
        return
    if not isinstance(away, model.restores):
        with pytest.raises(ValueError, match=f"{type(model).__name__} undoes .*: expected such a measurement, got {way}"):
            last(model.restore(seen, away, Noise([1, 2]), y[:2], **ask))
        return
    answer = last(model.restore(seen, away, Noise([1, 2]), y[:2], **ask)).x
    assert answer.shape == x[:2].shape
    assert (away(answer) - seen).abs().max() < 1 / 255


def test_a_network_of_one_colour_refuses_three():
    from dgm_models.families.diffusion import Diffusion
    from dgm_models.networks.velocity import VelocityUNet
    from dgm_models.spaces import Pixels

    with pytest.raises(ValueError, match="VelocityUNet takes pictures of 1 colour, expected one for 3"):
        Diffusion(VelocityUNet(1, width=16), TINTED)
    with pytest.raises(ValueError, match="VelocityUNet takes sides that 4 divides, got 10 x 10"):
        Diffusion(VelocityUNet(3, width=16), Pixels(3, 10))


def test_the_player_shows_every_colour_and_so_do_its_files():
    import io

    import numpy as np
    from PIL import Image

    from dgm_models.modalities import image
    from dgm_models.ui.film import Film, Row, saved, still

    x = torch.zeros(3, 3, 4, 4)
    x[torch.arange(3), torch.arange(3)] = 1.0  # red, green, blue
    value = Film([Row(still(x), 3), Row(still(torch.full((1, 1, 4, 4), 0.5)), 1)]).value()
    sheet = image.from_data_url(value["rows"][0]["sheet"])
    assert [sheet[0, 5 * i].tolist() for i in range(3)] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert image.from_data_url(value["rows"][1]["sheet"]).ndim == 2
    picture = np.asarray(Image.open(io.BytesIO(saved(value, "png"))))
    assert [picture[0, 20 * i].tolist() for i in range(3)] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert picture[-1, 0].tolist() == [128, 128, 128]
    film = Image.open(io.BytesIO(saved(value, "gif"))).convert("RGB")
    assert film.getpixel((1, 1)) == (255, 0, 0)
    assert np.load(io.BytesIO(saved(value, "npy"))).shape == (3, 3, 4, 4)
    with pytest.raises(ValueError, match="pictures of 1 or 3 colours, got 2"):
        image.tile(torch.zeros(1, 2, 4, 4), 1)


def test_solids_go_through_the_house():
    """Half-filled cubes: a mixture learns them, and gives back a hidden half; a network of pictures refuses them by name."""
    from dgm_models.families.gaussian_mixture import GaussianMixture
    from dgm_models.spaces import Grid

    space = Grid((4, 4, 4))
    below, above = torch.zeros(space.shape), torch.zeros(space.shape)
    below[:, :2], above[:, 2:] = 1, 1
    x = torch.stack([below, above]).repeat(100, 1, 1, 1, 1)
    model = GaussianMixture(space, classes=2, components=1, factors=1, floor=0.02)
    *_, _ = model.fit(x, torch.arange(200) % 2, steps=3)
    model.eval().requires_grad_(False)
    assert (model.sample(Noise(range(2)), torch.tensor([0, 1])).round() == torch.stack([below, above])).float().mean() > 0.95
    seen = torch.zeros(space.shape, dtype=torch.bool)
    seen[:, :, :2] = True
    away = Hide(seen)
    done = last(model.restore(away(above[None]), away, Noise([0]))).x
    assert (done.round() == above).float().mean() > 0.95
    assert torch.equal(done[:, seen], above[None][:, seen])
    with pytest.raises(ValueError, match="cells in"):
        model.log_prob(2 * x[:1])
