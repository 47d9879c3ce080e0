"""Photographs and their colours: what is given beside what may be missing, palettes, a person's file, enlarging tile by tile."""

from __future__ import annotations

import io

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from dgm_models.applications import colours, enlarging, filling
from dgm_models.conditions import Beside, Given, Numbers
from dgm_models.contracts import Noise, last
from dgm_models.data import SETS, colour, photos
from dgm_models.families.enlarger import Faithful, Sharp, pairs
from dgm_models.families.holes import Filler, FillingDiffusion, holes, laid_in, membrane
from dgm_models.families.pairs import Pairs
from dgm_models.measurements import Bicubic, Grey, Hide, Shrink
from dgm_models.modalities import snapshot
from dgm_models.modalities.palette import COLOURS, palettes
from dgm_models.networks.enlarger import Enlarger, Sharpening
from dgm_models.networks.gated import Filling
from dgm_models.networks.residual import PairUNet
from dgm_models.networks.velocity import VelocityUNet
from dgm_models.spaces import Pixels
from dgm_models.training.step import Trainer
from dgm_models.ui import photos as ui_photos
from dgm_models.ui.tabs import filling as tab
from dgm_models.ui.widgets import GRID

BOTH = Beside(Given(Pixels(1, 4)), Numbers(("a", "b"), ((0.0, 1.0), (0.0, 10.0))))
BUTTERFLY = photos.DATA.space.read(photos.held_out()["butterfly"])[None]


# what is given ---------------------------------------------------------------------------------------------------------


def test_an_element_and_numbers_become_planes_and_may_be_missing():
    x = torch.rand(3, 1, 4, 4)
    y = BOTH.check(BOTH.join(x, torch.tensor([[0.0, 5.0]]).expand(3, -1)), 3)
    assert tuple(y.shape[1:]) == BOTH.taken == (5, 4, 4)
    assert torch.allclose(y[:, 0], 2 * x[:, 0] - 1)
    assert [float(plane.unique()) for plane in y[0, 1:]] == [1, -1, 0, 1]
    bare = BOTH.check(BOTH.join(x), 3)
    assert torch.equal(bare[:, :2], y[:, :2])
    assert not bare[:, 2:].any()
    assert not BOTH.is_null(y).any()
    assert not BOTH.is_null(bare).any()
    assert BOTH.is_null(BOTH.check(None, 3)).all()


def test_of_half_of_the_rows_the_numbers_are_left_out_and_of_a_share_all():
    torch.manual_seed(0)
    y = BOTH.check(BOTH.join(torch.rand(4000, 1, 4, 4), torch.ones(4000, 2)), 4000)
    left = BOTH.drop(y, 0.2)
    none = BOTH.is_null(left)
    bare = ~none & (left[:, -1] == 0).flatten(1).all(1)
    assert none.float().mean() == pytest.approx(0.2, abs=0.03)
    assert bare.float().mean() == pytest.approx(0.4, abs=0.03)
    kept = ~none & ~bare
    assert torch.equal(left[kept], y[kept])


@pytest.mark.parametrize("bad", [torch.rand(2, 17), torch.full((2, 18), 3.0)])
def test_other_conditions_are_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        BOTH.check(bad, 2)


# palettes --------------------------------------------------------------------------------------------------------------


def test_a_palette_is_of_the_colours_that_there_are_from_dark_to_light():
    five = torch.tensor([[0.05, 0.05, 0.1], [0.6, 0.1, 0.1], [0.1, 0.6, 0.2], [0.3, 0.5, 0.9], [0.95, 0.9, 0.8]])
    x = five[torch.arange(1000) % 5].T.reshape(1, 3, 25, 40)
    found = palettes(x)
    assert tuple(found.shape) == (1, 3, 1, COLOURS)
    assert torch.allclose(found[0, :, 0].T, five[five.mean(1).argsort()], atol=1e-4)
    assert torch.allclose(palettes(torch.cat([x, torch.rand(1, 3, 25, 40)]))[:1], found, atol=1e-6)
    shuffled = x.flatten(2)[..., torch.randperm(1000, generator=torch.Generator().manual_seed(0))].view_as(x)
    assert torch.allclose(palettes(shuffled), found, atol=1e-4)


def test_one_colour_is_a_palette_of_that_colour():
    assert torch.allclose(palettes(torch.full((1, 3, 8, 8), 0.3)), torch.full((1, 3, 1, COLOURS), 0.3), atol=1e-5)


def test_the_data_sets_of_colours_say_what_their_pictures_say():
    x, y = SETS["cifar-colour"].shown()
    x = SETS["cifar"].space.read(x[:5])
    assert torch.equal(y[:5], colour.known(x, palettes(x)))
    assert torch.equal(SETS["cifar-palette"].shown()[1][:5], Grey()(x))


# the mean --------------------------------------------------------------------------------------------------------------


def test_the_regressor_learns_the_mean_of_what_goes_with_a_picture():
    """Of a grey square that is red or green in turn, it makes the colour between."""
    torch.manual_seed(0)
    space, known = Pixels(3, 4), Beside(Given(Pixels(1, 4)), Numbers(("n",), ((0.0, 1.0),)))
    red, green = torch.zeros(3, 4, 4), torch.zeros(3, 4, 4)
    red[0], green[1] = 1, 1
    x = torch.stack([red, green] * 16)
    y = known.join(Grey()(x))
    model = Pairs(PairUNet(3, given=known.taken[0], width=16, fine=1, coarse=1), space, known)
    trainer = Trainer(model, x, y, steps=200, batch=32, rate=3e-3)
    for _ in range(200):
        trainer.step()
    made = trainer.average.eval().mean(y[:2])
    assert torch.allclose(made, torch.tensor([0.5, 0.5, 0.0]).view(3, 1, 1).expand_as(made), atol=0.1)


def test_errors_and_saturation_are_of_colour_alone():
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert colours.chroma_error(x + 0.1, x).max() < 1e-12
    assert colours.saturation(torch.full((1, 3, 8, 8), 0.4)).item() == 0
    assert colours.saturation(torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)).item() == 1


# a person's photograph -------------------------------------------------------------------------------------------------


def file_of(tmp_path, name, picture, **options):
    picture.save(tmp_path / name, **options)
    return tmp_path / name


def test_a_photograph_comes_upright_in_colour_and_no_larger_than_needed(tmp_path):
    wide = Image.new("RGB", (1200, 600), (200, 30, 30))
    wide.paste((30, 30, 200), (0, 0, 600, 600))  # blue at the left
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees to the right
    x = snapshot.read_photo(file_of(tmp_path, "a.jpg", wide, exif=exif))
    assert tuple(x.shape) == (3, 512, 256)
    assert x[2, :200].mean() > 0.7  # so blue is above
    assert x[0, -200:].mean() > 0.7
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert snapshot.read_photo(file_of(tmp_path, "b.png", clear)).min() == 1
    assert tuple(snapshot.read_photo(file_of(tmp_path, "c.png", Image.new("L", (40, 30), 128))).shape) == (3, 30, 40)
    assert tuple(snapshot.read_photo(file_of(tmp_path, "d.gif", Image.new("P", (40, 30)))).shape) == (3, 30, 40)


@pytest.mark.parametrize("bad", ["text", "narrow", "huge"])
def test_what_is_no_photograph_is_refused_in_a_sentence(tmp_path, bad):
    path = tmp_path / "x.png"
    if bad == "text":
        path.write_text("no picture", encoding="utf-8")
    else:
        Image.new("L", (200, 9) if bad == "narrow" else (5000, 5000)).save(path)
    with pytest.raises(ValueError, match="expected"):
        snapshot.read_photo(path)


def test_what_the_page_sends_is_what_it_was_sent_and_nothing_else_is_taken():
    x = (torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0)) * 255).round() / 255
    assert torch.allclose(snapshot.unpack(snapshot.pack(x)), x, atol=1e-6)
    large = io.BytesIO()
    Image.new("RGB", (600, 20)).save(large, "WEBP")
    for bad in (
        None,
        3,
        "",
        "data:image/png;base64,AAAA",
        snapshot.URL + "AAAA",
        snapshot.URL + "%%",
        snapshot.URL + snapshot.base64.b64encode(large.getvalue()).decode(),
    ):
        with pytest.raises(ValueError, match="Picture: expected"):
            snapshot.unpack(bad)


def test_colours_laid_over_a_photograph_leave_its_lightness():
    grey, answers = torch.rand(1, 60, 40, generator=torch.Generator().manual_seed(0)), torch.rand(2, 3, 8, 8)
    made = snapshot.tinted(grey, answers)
    assert tuple(made.shape) == (2, 3, 60, 40)
    assert (made.mean(1) - grey).abs().max() < 1e-5
    assert (made[0] - made[1]).abs().max() > 0.1
    assert made.min() >= 0
    assert made.max() <= 1


# enlarging -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def enlarger():
    torch.manual_seed(0)
    network = Enlarger(3, width=16, depth=8)
    for p in network.parameters():
        p.data += 0.05 * torch.randn(p.shape)
    return Faithful(network, Pixels(3, 64)).eval().requires_grad_(False)


@pytest.mark.parametrize("factor", [2, 4])
def test_tiles_make_the_picture_that_the_whole_makes(enlarger, factor):
    seen = torch.rand(1, 3, 130, 201, generator=torch.Generator().manual_seed(0))
    whole = enlarger.space.clamp(enlarger._made(seen, factor))
    assert (enlarger.enlarge(seen, factor) - whole).abs().max() < 1e-4
    with pytest.raises(ValueError, match="factor of 2 or 4"):
        enlarger.enlarge(seen, 3)


def test_pairs_are_of_one_place_and_an_untaught_enlarger_is_the_cubic_filter():
    torch.manual_seed(3)
    for large, seen, factor in pairs(BUTTERFLY[..., :64, :64].expand(4, -1, -1, -1)):
        assert tuple(seen.shape[2:]) == (16, 16)
        assert large.shape[-1] == 16 * factor
        assert (Bicubic(factor)(large).clamp(0, 1) - seen).abs().max() < 1 / 254
        plain = Faithful(Enlarger(), Pixels(3, 64)).eval().enlarge(seen, factor)
        assert torch.allclose(plain, F.interpolate(seen, scale_factor=factor, mode="bicubic", align_corners=False).clamp(0, 1), atol=1e-5)


def test_the_sharp_one_begins_as_the_faithful_one_and_each_player_learns(enlarger):
    sharp = Sharp(Sharpening(3, width=16, depth=8, critic_width=16), Pixels(3, 64))
    list(sharp.lessons(enlarger))
    seen = torch.rand(1, 3, 16, 16)
    assert torch.equal(sharp.eval().enlarge(seen, 4), enlarger.enlarge(seen, 4))
    x = BUTTERFLY[..., :64, :64].expand(2, -1, -1, -1)
    for name, part in sharp.train().players().items():
        loss = sharp.loss(x, player=name)
        loss.backward()
        assert torch.isfinite(loss)
        assert all(p.grad is not None and p.grad.isfinite().all() for p in part.parameters())
    with pytest.raises(ValueError, match="player"):
        sharp.loss(x, player="judge")


def test_the_cubic_filter_scores_what_is_published():
    """28.4 dB on Set5, 4 times; 33.7 dB, 2 times."""
    for factor, published in ((4, 28.42), (2, 33.66)):
        found = []
        for name in photos.SET5:
            real = enlarging.fitted(photos.DATA.space.read(photos.held_out()[name])[None], factor)
            found.append(enlarging.luminance_psnr(enlarging.bicubic(enlarging.shrunk(real, factor), factor), real, factor))
        assert sum(found) / 5 == pytest.approx(published, abs=0.1)


def test_both_figures_of_a_picture_are_perfect_for_itself_and_worse_for_less():
    assert enlarging.luminance_psnr(BUTTERFLY, BUTTERFLY, 4) > 90
    assert enlarging.feature_distance(BUTTERFLY, BUTTERFLY) == 0
    cubic = enlarging.bicubic(enlarging.shrunk(BUTTERFLY, 4), 4)
    found = enlarging.trade(cubic, BUTTERFLY, BUTTERFLY, 4)
    assert [share for share, _, _ in found] == torch.linspace(0, 1, enlarging.BETWEEN).tolist()
    assert all(one[1] < other[1] and one[2] > other[2] for one, other in zip(found[:-1], found[1:], strict=True))


# holes -----------------------------------------------------------------------------------------------------------------


def test_holes_are_of_all_sizes_and_none_hides_nothing_or_all():
    torch.manual_seed(0)
    seen = holes(400, 32, torch.device("cpu")).float().flatten(1).mean(1)
    assert ((seen > 0) & (seen < 1)).float().mean() > 0.97
    assert seen.std() > 0.1
    assert 0.4 < seen.mean() < 0.95


def test_a_filler_and_a_diffusion_keep_what_is_seen_and_both_learn():
    torch.manual_seed(0)
    space, x = Pixels(3, 32), BUTTERFLY[..., 64:96, 64:96].expand(4, -1, -1, -1)
    filler = Filler(Filling(3, width=8, critic_width=8), space)
    diffusion = FillingDiffusion(VelocityUNet(3, width=16, fine=1, coarse=1, given=5, patch=4), space)
    for model in (filler, diffusion):
        for name, part in model.players().items():
            loss = model.loss(x, player=name)
            loss.backward()
            assert torch.isfinite(loss)
            assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
    seen = holes(4, 32, torch.device("cpu"))
    assert torch.equal(filler.eval().fill(x, seen)[seen.expand_as(x)], x[seen.expand_as(x)])
    away = Hide(seen)
    film = list(diffusion.eval().restore(away(x), away, Noise(range(4))))
    assert torch.equal(film[-1].x[seen.expand_as(x)], x[seen.expand_as(x)])
    assert torch.equal(last(diffusion.restore(away(x), away, Noise(range(4)))).x, film[-1].x)
    alone = last(diffusion.restore(away(x)[2:3], away.rows(torch.tensor([2])), Noise([2]))).x
    assert torch.allclose(alone, film[-1].x[2:3], atol=1e-4)
    red = Hide(torch.tensor([True, False, False]).view(3, 1, 1).expand(3, 32, 32))  # one colour is seen, the others are hidden
    assert torch.equal(last(diffusion.restore(red(x), red, Noise(range(4)))).x[:, 0], x[:, 0])
    with pytest.raises(ValueError, match="hidden pixels"):
        last(diffusion.restore(Shrink(4)(x), Shrink(4), Noise(range(4))))


def test_a_filler_hears_its_critic_after_it_was_alone_and_more_and_more():
    torch.manual_seed(0)
    filler = Filler(Filling(3, width=8, critic_width=8), Pixels(3, 32), adversarial=0.1, alone=0.5)
    x = BUTTERFLY[..., 64:96, 64:96].expand(4, -1, -1, -1)
    losses = []
    for share in (0.0, 0.5, 0.75, 1.0):
        filler.age(share)
        torch.manual_seed(1)
        losses.append(float(filler.loss(x, player="generator").detach()))
    assert losses[0] == losses[1] < losses[2]
    assert losses[3] - losses[0] == pytest.approx(2 * (losses[2] - losses[0]), rel=1e-3)


def test_what_lies_in_a_hole_is_nothing_to_go_by():
    torch.manual_seed(0)
    filler = Filler(Filling(3, width=8, critic_width=8), Pixels(3, 32)).eval()
    x, seen = torch.rand(1, 3, 32, 32), holes(1, 32, torch.device("cpu"))
    other = torch.where(seen, x, 1 - x)
    assert torch.equal(filler.fill(x, seen), filler.fill(other, seen))


def test_the_square_around_a_hole_is_filled_and_nothing_else_changes():
    photo = BUTTERFLY[0]
    hidden = torch.zeros(1, *photo.shape[1:], dtype=torch.bool)
    hidden[:, 5:45, 100:160] = True
    square = filling.around(photo, hidden)
    assert square.side == 120
    assert square.top == 0  # a hole at the rim has its square within the photo
    assert not (square.x * ~square.seen).any()
    whole = filling.laid_back(photo, hidden, square, torch.full((3, 64, 64), 0.25))
    assert torch.equal(whole[:, ~hidden[0]], photo[:, ~hidden[0]])
    assert torch.allclose(whole[:, hidden[0]], torch.tensor(0.25), atol=1e-5)
    assert torch.allclose(filling.squared_around(photo, square) * square.seen, square.x)


@pytest.mark.parametrize(("hide", "words"), [(slice(0, 0), "paint a hole"), (slice(None), "too large")])
def test_no_hole_and_all_of_it_are_refused(hide, words):
    hidden = torch.zeros(1, 256, 256, dtype=torch.bool)
    hidden[:, hide] = True
    with pytest.raises(ValueError, match=words):
        filling.around(BUTTERFLY[0], hidden)


def test_a_seam_is_seen_and_none_is_not():
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    seen = torch.ones(1, 1, 32, 32, dtype=torch.bool)
    seen[..., 8:24, 8:24] = False
    assert filling.seam(x, seen) == pytest.approx(1, abs=0.1)
    flat = torch.where(seen, x, 0.2 * x)
    assert filling.seam(flat, seen) > 3


def test_a_hole_travels_in_an_address_and_nothing_else_is_taken():
    hole = torch.rand(GRID, GRID, generator=torch.Generator().manual_seed(0)) < 0.1
    packed = ui_photos._packed(hole)
    assert torch.equal(ui_photos._unpacked(packed), hole)
    assert torch.equal(ui_photos._hole_from_text(ui_photos._hole_to_text(packed)), hole)
    for bad in (None, 3, "", "AAAA", packed[:-8]):
        with pytest.raises(ValueError, match="Hole: expected"):
            ui_photos._unpacked(bad)


def test_what_is_made_is_laid_into_its_hole_without_a_step():
    """A hole filled with the right picture in another light is the right picture; a seam is what it takes away."""
    x, seen = BUTTERFLY[..., 64:128, 64:128], torch.ones(1, 1, 64, 64, dtype=torch.bool)
    seen[..., 20:40, 10:50] = False
    plain = torch.full_like(x, 0.5)
    assert torch.allclose(laid_in(plain + 0.2, plain, seen), plain, atol=1e-3)
    assert torch.equal(laid_in(x * 0.7, x, seen)[seen.expand_as(x)], x[seen.expand_as(x)])
    pasted = torch.where(seen, x, 0.7 * x)
    assert (laid_in(0.7 * x, x, seen) - x).abs().mean() < (pasted - x).abs().mean()
    assert filling.seam(laid_in(0.7 * x, x, seen), seen) < filling.seam(pasted, seen)
    slope = (torch.arange(64.0) / 64).expand_as(x)
    for light in (0.0, 0.2):  # what is right stays so, but for a pixel or two at corners
        off = (laid_in(slope + light, slope, seen) - slope).abs()
        assert off.max() < 2 / 64
        assert off[~seen.expand_as(x)].mean() < 0.25 / 64
    assert (laid_in(x, x, seen) - x).abs().mean() < 0.02


def test_a_membrane_is_the_mean_of_its_neighbours():
    """A plane spanned over its border is that plane, for it solves Laplace's equation."""
    plane = (torch.arange(32.0)[:, None] / 32 + torch.arange(32.0) / 64).expand(1, 1, 32, 32)
    there = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    there[..., 0, :] = there[..., -1, :] = there[..., :, 0] = there[..., :, -1] = True
    assert torch.allclose(membrane(plane, there), plane, atol=0.02)
    assert not membrane(plane, torch.zeros_like(there)).any()


def test_a_hole_at_first_is_round_in_any_photo_and_can_be_filled():
    for high, wide in ((300, 200), (100, 512), (16, 16)):
        hole = F.interpolate(tab._at_first(high, wide)[None, None].float(), (high, wide), mode="nearest")[0] > 0.5
        square = filling.around(torch.rand(3, high, wide), hole)
        assert square.seen.float().mean() > 0.3
    long = torch.zeros(1, 100, 512, dtype=torch.bool)
    long[:, 50:53, 100:400] = True
    with pytest.raises(ValueError, match="it is 300 pixels long, and the photo's shorter side is 100"):
        filling.around(torch.rand(3, 100, 512), long)
