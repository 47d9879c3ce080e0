"""Text to image: its parts keep their promises before anything is learned, and what is learned is what they say."""

from __future__ import annotations

import pytest
import torch

from dgm_models import catalog
from dgm_models.applications import text_to_image as t
from dgm_models.contracts import Noise
from dgm_models.data import SETS
from dgm_models.data.captions import SIDE
from dgm_models.families import contrastive
from dgm_models.families.contrastive import EXCHANGED, FLIPPED, Contrastive, left_out, one_wrong, spelt, swapped
from dgm_models.families.diffusion import DiffusionSettings
from dgm_models.families.prior import AutoregressivePrior, DiffusionPrior
from dgm_models.families.reader import AttributeReader
from dgm_models.families.stages import Decoder, Upsampler
from dgm_models.measurements import Shrink
from dgm_models.modalities import caption as c
from dgm_models.networks.contrastive import Both, Look
from dgm_models.networks.transformer import CausalTransformer
from dgm_models.networks.velocity import VelocityDecoder, VelocityMLP, VelocityUpsampling
from dgm_models.spaces import Pixels
from dgm_models.training.step import Trainer
from dgm_models.ui.tabs import captions as tab
from tests.test_caption import random_rows

SPACE, SIZE = Pixels(3, SIDE), 8
FEW = DiffusionSettings(steps=3, guidance_scale=1.0)


@pytest.fixture(scope="module")
def pictures():
    """Scenes and faces with what is said of them."""
    return SETS["captions"].shown()


@pytest.fixture(scope="module")
def encoder(pictures):
    """A small one, taught for a moment."""
    x, rows = pictures
    torch.manual_seed(0)
    model = Contrastive(Both(c.BLANK, c.MOST_WORDS, size=SIZE, width=8, text_width=16), SPACE)
    trainer = Trainer(model, x, rows, steps=60, batch=32, rate=5e-3, ema=0.9)
    losses = [float(trainer.step()["model"]) for _ in range(60)]
    assert sum(losses[-10:]) < 0.85 * sum(losses[:10])
    model = trainer.average.eval().requires_grad_(False)
    model.finish(SPACE.read(x), rows)
    return model


def points(n, seed=0):
    return torch.nn.functional.normalize(torch.randn(n, SIZE, generator=torch.Generator().manual_seed(seed)), dim=1)


# captions -------------------------------------------------------------------------------------------------------------


def test_what_is_left_out_was_said_and_the_kind_always_stays():
    rows = random_rows(said=1.0)
    torch.manual_seed(0)
    fewer = left_out(rows)
    assert ((fewer == rows) | (fewer == c.UNSAID)).all()
    assert torch.equal(fewer[:, 0], rows[:, 0])
    some = (fewer != rows).any(1).float().mean()
    assert 0.7 < some < 0.9


def test_a_wrong_caption_says_one_thing_wrong():
    rows = random_rows()
    torch.manual_seed(0)
    wrong = one_wrong(rows)
    assert ((wrong != rows).sum(1) == 1).all()
    assert ((wrong == c.UNSAID) == (rows == c.UNSAID)).all()
    counts = torch.tensor([len(each) for each in c.ATTRIBUTES.values()])
    assert (wrong < counts).all()


def test_things_change_places_and_nothing_else_changes():
    rows = random_rows(said=1.0)
    torch.manual_seed(0)
    other = swapped(rows)
    changed = (other != rows).sum(1)
    assert set(changed.tolist()) == {1, 2}
    for row, found in zip(rows[changed == 2], other[changed == 2], strict=True):
        at = (row != found).nonzero().flatten()
        before, after = ([c.ATTRIBUTES[c.NAMES[i]][each[i]] for i in at] for each in (row, found))
        assert before == after[::-1]
        assert tuple(c.NAMES[i] for i in at) in c.PAIRED
    assert (changed == 2).float().mean() > 0.25


def test_a_picture_is_told_from_captions_in_which_things_changed_places_or_from_none_of_them():
    rows = random_rows(said=1.0)
    for exchanged in (True, False):
        model = Contrastive(torch.nn.Identity(), SPACE, exchanged)
        torch.manual_seed(0)
        changed = (model.wrong(rows).view(FLIPPED, *rows.shape) != rows).sum(2)
        assert set(changed.unique().tolist()) == ({1, 2} if exchanged else {1})
        assert (changed[:EXCHANGED] == 2).any() == exchanged
        assert (changed[EXCHANGED:] == 1).all()


def test_a_caption_that_says_little_is_not_held_against_the_pictures_that_it_fits(monkeypatch, pictures):
    """Where captions say nothing but the kind, nobody can tell the pictures of one kind apart, nor is asked to."""
    x, rows = SPACE.read(pictures[0][295:305]), pictures[1][295:305]  # scenes, then faces
    torch.manual_seed(0)
    model = Contrastive(Both(c.BLANK, c.MOST_WORDS, size=SIZE, width=8, text_width=16), SPACE).eval()
    only_kind = rows.clone()
    only_kind[:, 1:] = c.UNSAID
    monkeypatch.setattr(contrastive, "left_out", lambda _: only_kind)
    monkeypatch.setattr(c, "is_held_out", lambda y: torch.ones(len(y), dtype=torch.bool))  # no wrong captions beside them
    seen, heard = model.look(x), model.network.hear(spelt(only_kind))
    alike = model.network.warmth.exp() * seen @ heard.T
    other = rows[:, :1] != rows[None, :, 0]
    kept = other | torch.eye(len(rows), dtype=torch.bool)
    wanted = (
        sum(
            torch.nn.functional.cross_entropy(each, torch.arange(10))
            for each in (alike.masked_fill(~kept, -torch.inf), alike.T.masked_fill(~kept, -torch.inf))
        )
        / 2
    )
    assert torch.allclose(model.loss(x, rows), wanted, atol=1e-4)


def test_no_training_picture_is_of_a_combination_that_is_held_out(pictures):
    assert not c.is_held_out(pictures[1][:300]).any()  # the scenes; faces that ship are held out whatever they show
    x, rows = SETS["captions"].test()
    assert c.is_held_out(rows[:1000]).all()
    assert len(x) == len(rows) == 2000


# the encoder ----------------------------------------------------------------------------------------------------------


def test_embeddings_are_points_of_the_sphere_and_functions_of_what_is_meant(encoder, pictures):
    heard = encoder.hear(["a red seven, above a circle", "A RED 7 above a   circle!", "a blue seven, above a circle"])
    assert torch.allclose(heard.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.equal(heard[0], heard[1])
    assert not torch.allclose(heard[0], heard[2], atol=1e-3)
    x = SPACE.read(pictures[0][:6])
    seen = encoder.look(x)
    assert torch.allclose(seen.norm(dim=1), torch.ones(6), atol=1e-5)
    assert torch.allclose(encoder.look(x[2:3]), seen[2:3], atol=1e-5)


def test_an_encoder_tells_scenes_from_faces_at_once(encoder, pictures):
    x, rows = pictures
    seen = encoder.look(SPACE.read(x[::10]))
    scene, face = encoder.hear(["a digit", "a face"])
    found = (seen @ face > seen @ scene).long()
    assert (found == rows[::10, 0]).float().mean() > 0.95


# priors ---------------------------------------------------------------------------------------------------------------


def prior(kind, encoder, pictures):
    torch.manual_seed(0)
    if kind is DiffusionPrior:
        network = VelocityMLP(SIZE, width=16, depth=1, numbers=SIZE + 1)
    else:
        network = CausalTransformer(SIZE, 12, width=16, depth=1, head=8, dropout=0.0, numbers=SIZE + 1)
    model = kind(network, SPACE, size=SIZE)
    next(model.lessons(encoder))
    return model


@pytest.mark.parametrize("kind", [DiffusionPrior, AutoregressivePrior])
def test_priors_draw_points_of_the_sphere_one_a_seed(kind, encoder, pictures):
    model = prior(kind, encoder, pictures).eval()
    z = encoder.look(SPACE.read(pictures[0][:40]))
    assert torch.allclose(model.sphere.point(model.sphere.coordinates(z)), z, atol=1e-4)
    known = model.sphere.coordinates(encoder.look(SPACE.read(pictures[0])))
    assert known.mean(0).abs().max() < 0.2
    assert (known.std(0) - 1).abs().max() < 0.2
    heard = encoder.hear(["a red seven"] * 3)
    *_, frame = model.trace(Noise([5, 6, 7]), heard)
    assert torch.allclose(frame.x.norm(dim=1), torch.ones(3), atol=1e-5)
    *_, alone = model.trace(Noise([6]), heard[:1])
    assert torch.allclose(alone.x, frame.x[1:2], atol=1e-4)
    assert not torch.allclose(frame.x[0], frame.x[1], atol=1e-2)


@pytest.mark.parametrize("kind", [DiffusionPrior, AutoregressivePrior])
def test_a_prior_learns_through_its_encoder_and_does_not_keep_it(kind, encoder, pictures):
    model = prior(kind, encoder, pictures)
    names = set(model.state_dict())
    assert all(name.startswith(("model.", "sphere.")) for name in names)
    assert learns(model, encoder, pictures, steps=40, batch=64, rate=5e-3)


# pictures -------------------------------------------------------------------------------------------------------------


def stage(kind, side, encoder):
    torch.manual_seed(0)
    if kind is Decoder:
        network = VelocityDecoder(3, SIZE + 1, width=16, fine=1, coarse=1, planes=4, hidden=16)
    else:
        network = VelocityUpsampling(3, numbers=SIZE + 1, width=16, fine=1, coarse=1)
    model = kind(network, SPACE, side=side, size=SIZE)
    next(model.lessons(encoder))
    return model


@pytest.mark.parametrize(("kind", "side"), [(Decoder, 16), (Upsampler, 32), (Upsampler, 64)])
def test_a_stage_learns_from_large_pictures(kind, side, encoder, pictures):
    model = stage(kind, side, encoder)
    assert all(name.startswith("model.") for name in model.state_dict())
    assert learns(model, encoder, pictures, steps=25, batch=16, rate=2e-3)


def learns(model, encoder, pictures, **options):
    """Whether its loss falls while it learns through its encoder."""
    before = loss_of(model, pictures)
    trainer = Trainer(model, *pictures, ema=0.5, **options)
    while trainer.done < trainer.steps:
        trainer.step()
    next(trainer.average.lessons(encoder))
    return loss_of(trainer.average, pictures) < before


def loss_of(model, pictures):
    """With the same noise each time."""
    torch.manual_seed(0)
    with torch.no_grad():
        return float(model.loss(SPACE.read(pictures[0][::5]), pictures[1][::5]))


def test_an_upsamplers_answer_shrunk_is_what_it_was_given(encoder, pictures):
    model = stage(Upsampler, 32, encoder).eval()
    small = Shrink(4)(SPACE.read(pictures[0][:3]))
    *_, frame = model.trace(Noise([1, 2, 3]), small, points(3), FEW)
    assert frame.x.shape == (3, 3, 32, 32)
    assert (Shrink(2)(frame.x) - small).abs().max() < 2e-4
    assert frame.x.min() >= 0
    assert frame.x.max() <= 1
    *_, alone = model.trace(Noise([2]), small[1:2], points(3)[1:2], FEW)
    assert torch.allclose(alone.x, frame.x[1:2], atol=1e-4)


def test_an_upsampler_begins_with_what_it_was_given(encoder, pictures):
    model = stage(Upsampler, 64, encoder).eval()
    small = Shrink(2)(SPACE.read(pictures[0][:2]))
    *_, frame = model.trace(Noise([1, 2]), small, points(2), FEW)
    assert torch.allclose(frame.x, Shrink(2).pinv(small), atol=1e-3)


def test_a_decoder_takes_points_of_the_sphere_alone(encoder):
    model = stage(Decoder, 16, encoder).eval()
    *_, frame = model.trace(Noise([1, 2]), points(2), FEW)
    assert frame.x.shape == (2, 3, 16, 16)
    with pytest.raises(ValueError, match="of length 1"):
        list(model.trace(Noise([1]), 3 * points(1), FEW))


def test_of_the_points_that_a_prior_draws_the_one_nearest_to_the_text_is_kept():
    heard = t.hear(["a red seven"] * 2)
    z, _ = t.drawn_embeddings(heard, [5, 6])
    alone, _ = t.drawn_embeddings(heard[1:], [6])
    assert torch.allclose(alone, z[1:], atol=1e-4)
    model, near = catalog.load(t.PRIORS["diffusion"]), []
    for draw in range(t.DRAWS):
        *_, frame = model.trace(Noise([5 + draw * t.DRAW_STEP]), heard[:1], t.PRIOR)
        near.append(float((frame.x * heard[:1]).sum()))
    assert float((z[0] * heard[0]).sum()) == pytest.approx(max(near), abs=1e-4)
    assert max(near) > min(near)


# the judge ------------------------------------------------------------------------------------------------------------


def test_a_reader_of_attributes_learns_only_of_what_is_said(pictures):
    x, rows = pictures
    torch.manual_seed(0)
    model = AttributeReader(Look(3, 128, width=8), SPACE, SETS["captions"].condition)
    trainer = Trainer(model, x, rows, steps=60, batch=32, rate=5e-3, ema=0.9)
    while trainer.done < trainer.steps:
        trainer.step()
    reader = trainer.average.eval()
    found = reader.read(SPACE.read(x[::10]))
    assert found.shape == (60, len(c.NAMES))
    assert (found[:, 0] == rows[::10, 0]).float().mean() > 0.95
    said = rows[:32].clone()
    said[:, 1:] = c.UNSAID
    model.eval()
    loss = model.loss(SPACE.read(x[:32]), said)
    loss.backward()
    slope = model.to_logits.bias.grad.split(model.counts)
    assert slope[0].abs().sum() > 0
    assert all(not each.any() for each in slope[1:])


def test_hidden_captions_of_held_out_combinations_are_no_wrong_ones(monkeypatch, pictures):
    """Where all wrong captions would be held out, a picture is told from the others of its batch alone."""
    x, rows = pictures
    torch.manual_seed(0)
    model = Contrastive(Both(c.BLANK, c.MOST_WORDS, size=SIZE, width=8, text_width=16), SPACE).eval()
    x, rows = SPACE.read(x[:8]), rows[:8]
    monkeypatch.setattr(c, "is_held_out", lambda y: torch.ones(len(y), dtype=torch.bool))
    monkeypatch.setattr(contrastive, "left_out", lambda rows: rows)
    without = model.loss(x, rows)
    heard, seen = model.network.hear(spelt(rows)), model.look(x)
    alike = model.network.warmth.exp() * seen @ heard.T
    wanted = sum(torch.nn.functional.cross_entropy(each, torch.arange(8)) for each in (alike, alike.T)) / 2
    assert torch.allclose(without, wanted, atol=1e-4)


# the page -------------------------------------------------------------------------------------------------------------


def test_a_way_along_the_sphere_begins_and_ends_where_it_should():
    one, other = points(1), points(1, seed=1)
    way = t.between(one, other, 5)
    assert torch.allclose(way.norm(dim=1), torch.ones(5), atol=1e-5)
    assert torch.allclose(way[[0, 4]], torch.cat([one, other]), atol=1e-3)
    steps = (way[1:] * way[:-1]).sum(1).arccos()
    assert torch.allclose(steps, steps.mean().expand(4), atol=1e-3)


def test_each_stage_has_seeds_of_its_own_and_others_each_time():
    seeds = [t.seeds_of(stage, 7, 4, again) for stage in t.STAGES for again in range(3)]
    assert len({first for first, *_ in seeds}) == len(seeds)
    assert all(each == list(range(each[0], each[0] + 4)) for each in seeds)
    assert t.seeds_of("32", 2**32 - 1, 4, t.AGAIN)  # the last seed is one, too
    assert t.seeds_of("prior", 7, 3, alike=True) == [t.seeds_of("prior", 7, 1)[0]] * 3


@pytest.mark.parametrize("text", ["", "0-0-0", "0-0-0-0-0", "1-2-3-x", "0-0-0-1001", "0-0-0--1", None, 3])
def test_how_often_a_stage_was_drawn_again_is_checked(text):
    assert tab._counts("0-1-0-1000") == (0, 1, 0, 1000)
    with pytest.raises(ValueError, match="Drawn again: expected a whole number"):
        tab._counts(text)


def test_what_is_shown_otherwise_is_said_in_words():
    asked, found = c.understood("a red seven above a circle"), c.understood("a blue seven above a circle")
    assert t.as_asked(asked, asked) == (4, 4, [])
    assert t.as_asked(asked, found) == (3, 4, ["blue"])
    assert t.as_asked(asked, c.understood("a happy face")) == (0, 4, ["a face"])


# trained --------------------------------------------------------------------------------------------------------------


def test_every_stage_is_trained_and_fits_its_neighbours():
    heard = t.hear(["a red seven on a yellow ground, above a small blue circle"] * 6)
    made = t.draw(heard, 7)
    assert [x.shape for x in made.pictures] == [(6, 3, 16, 16), (6, 3, 32, 32), (6, 3, 64, 64)]
    for small, large in zip(made.pictures, made.pictures[1:], strict=False):
        assert (Shrink(2)(large) - small).abs().max() < 2e-4
    other = t.draw(heard, 7, again=(0, 0, 1, 0))
    assert torch.equal(other.z, made.z)
    assert torch.equal(other.pictures[0], made.pictures[0])
    assert not torch.equal(other.pictures[1], made.pictures[1])
    assert not torch.equal(t.draw(heard, 7, again=(1, 0, 0, 0)).z, made.z)
    asked = c.understood("a red seven on a yellow ground, above a small blue circle")
    right, count, _ = zip(*(t.as_asked(asked, row) for row in t.read(made.pictures[-1])), strict=True)
    assert set(count) == {7}
    assert sum(right) > 0.7 * sum(count)
    with pytest.raises(ValueError, match="Prior: expected one of"):
        t.draw(heard, 7, prior="other")
    with pytest.raises(ValueError, match="1 to 16 at once"):
        t.draw(heard[:1].expand(17, -1), 7)
    assert catalog.recipe(t.DECODER).role == "stage"
