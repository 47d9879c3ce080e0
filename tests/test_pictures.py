"""The page Pictures in a real browser: grey pictures are coloured, small ones enlarged, holes filled, and one's own photo too."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import expect

from dgm_models.modalities import snapshot

READY = "([at, q]) => document.querySelector(`#player-${at} .dgm-player`)?.dataset.link?.includes(q)"


@pytest.fixture
def photograph(tmp_path):
    """A wide one of a sky over a field, as a phone may write it: lying on its side, and saying so."""
    picture = Image.new("RGB", (300, 200), (120, 170, 220))
    picture.paste((70, 110, 50), (0, 100, 300, 200))
    exif = Image.Exif()
    exif[274] = 6
    picture.rotate(90, expand=True).save(tmp_path / "field.jpg", exif=exif)
    return tmp_path / "field.jpg"


def opened(page, served, address, player, wait="tab="):
    page.goto(f"{served}/?tab={address}")
    page.wait_for_function(READY, arg=[player, wait], timeout=90_000)
    return page.locator(f"#player-{player} .dgm-player")


def upload(page, name, path, kind="photo"):
    page.locator(f"#{kind}-{name}").locator("xpath=following::input[@type='file'][1]").set_input_files(str(path))


def pictures_of(album):
    """What an album holds, decoded."""
    urls = [each.get_attribute("src") for each in album.locator("img").all()]
    return [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


def test_a_grey_picture_has_several_answers_and_another_picture_others(page, served):
    player = opened(page, served, "colorization&picture=7&seed=3", "colorization", "picture=7")
    expect(player).to_contain_text(re.compile(r"the nearest one's colour \d+\.\d dB, that of least error \d+\.\d dB"))
    expect(player).to_contain_text("least error")
    before = player.get_attribute("data-link")
    page.get_by_role("button", name="Another picture").locator("visible=true").click()
    page.wait_for_function(
        "(old) => document.querySelector('#player-colorization .dgm-player').dataset.link !== old", arg=before, timeout=60_000
    )
    assert "seed=3" in player.get_attribute("data-link")


def test_five_colours_of_ones_own_are_a_palette(page, served):
    player = opened(
        page, served, "colorization.palette&palette=these+five&colour_1=%23102040&colour_5=%23ffe0a0", "colorization-palette", "102040"
    )
    expect(player).to_contain_text("these five")
    page.goto(f"{served}/?tab=colorization.palette&palette=these+five&colour_1=mud")
    expect(page.get_by_text(re.compile("Colour: expected such as #ff8000")).first).to_be_visible(timeout=60_000)


def test_ones_own_photo_is_coloured_at_its_own_size_and_saved(page, served, photograph):
    page.goto(f"{served}/?tab=colorization.photo")
    album = page.locator("#album-colorization-photo")
    expect(album.locator("img")).to_have_count(6, timeout=90_000)
    first = album.locator("img").first.get_attribute("src")
    upload(page, "colorphoto", photograph)
    expect(album.locator("img").first).not_to_have_attribute("src", first, timeout=90_000)
    made = pictures_of(album)
    assert {each.size for each in made} == {(200, 200)}
    red, green, blue = made[0].resize((1, 1)).getpixel((0, 0))
    assert max(red, green, blue) - min(red, green, blue) < 4  # what was given is grey
    with page.expect_download() as saved:
        album.get_by_text("save").nth(2).click()
    assert Image.open(saved.value.path()).size == (200, 200)


def test_a_photo_is_enlarged_and_the_slider_goes_from_less_error_to_more(page, served):
    player = opened(page, served, "enlarging&picture=bird~20%2C80&factor=4%C3%97&sharpness=50", "enlarging", "bird")
    figures = dict(re.findall(r"(cubic|faithful|mixed|sharp) (\d+\.\d) dB", player.text_content()))
    cubic, faithful, mixed, sharp = (float(figures[name]) for name in ("cubic", "faithful", "mixed", "sharp"))
    assert faithful > max(cubic, sharp)
    assert mixed not in (faithful, sharp)
    expect(page.locator("#chart-enlarging svg")).to_have_attribute("aria-label", re.compile("off in features"))
    assert "bird~20%2C80" in player.get_attribute("data-link")
    photo = page.locator("#photo-enlarging .over")
    photo.click(position={"x": 3, "y": 3})
    page.wait_for_function(READY, arg=["enlarging", "bird~0%2C0"], timeout=60_000)
    photo.press("ArrowRight")
    page.wait_for_function(READY, arg=["enlarging", "bird~10%2C0"], timeout=60_000)


def test_ones_own_photo_is_enlarged_and_looked_at_closely(page, served, photograph):
    page.goto(f"{served}/?tab=enlarging.photo&factor=2%C3%97")
    album = page.locator("#album-enlarging-photo")
    expect(album).to_contain_text("496 × 720 pixels, of 248 × 360", timeout=90_000)
    first = album.locator("img").first.get_attribute("src")
    upload(page, "enlarging-own", photograph)
    expect(album.locator("img").first).not_to_have_attribute("src", first, timeout=90_000)
    assert {each.size for each in pictures_of(album)} == {(600, 400)}
    expect(album).to_contain_text("600 × 400 pixels, of 300 × 200")
    album.locator(".frame").first.click(position={"x": 5, "y": 5})
    expect(album.locator(".frame.near")).to_have_count(2)  # both at the same place
    album.locator(".frame").first.press("Escape")
    expect(album.locator(".frame.near")).to_have_count(0)


def test_a_hole_is_painted_and_filled_and_only_the_hole_is_new(page, served, photograph):
    player = opened(page, served, "filling&picture=bird&seed=3", "filling", "bird")
    expect(player).to_contain_text("four answers")
    album = page.locator("#album-filling")
    before = album.locator("img").first.get_attribute("src")
    brush = page.locator("#brush-filling canvas")
    page.locator("#brush-filling").get_by_role("button", name="Clear").click()
    page.wait_for_timeout(1500)
    assert album.locator("img").first.get_attribute("src") == before  # no hole asks for nothing
    box = brush.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    page.mouse.up()
    expect(album.locator("img").first).not_to_have_attribute("src", before, timeout=60_000)
    link = player.get_attribute("data-link")
    other = page.context.new_page()  # the hole travels in the address
    opened(other, served, link.partition("tab=")[2], "filling", "bird")
    assert other.locator("#player-filling .dgm-player").get_attribute("data-link") == link
    before = album.locator("img").first.get_attribute("src")
    photo = ImageOps.exif_transpose(Image.open(photograph)).convert("RGB")
    upload(page, "filling", photograph, "brush")
    expect(album.locator("img").first).not_to_have_attribute("src", before, timeout=60_000)
    for each in pictures_of(album):
        assert each.size == (300, 200)
        outside = [(x, y) for x in range(0, 300, 7) for y in range(0, 200, 7) if abs(x - 150) > 40 or abs(y - 100) > 40]
        far = [(x, y) for x, y in outside if abs(y - 100) > 4]  # from where the file's own blocks mix sky and field
        assert all(each.getpixel((x, y)) == photo.getpixel((x, y)) for x, y in far)


def test_what_is_no_photo_is_refused_and_what_is_there_stays(page, served, tmp_path):
    (tmp_path / "no.png").write_text("no picture", encoding="utf-8")
    page.goto(f"{served}/?tab=colorization.photo")
    album = page.locator("#album-colorization-photo")
    expect(album.locator("img")).to_have_count(6, timeout=90_000)
    first = album.locator("img").first.get_attribute("src")
    upload(page, "colorphoto", tmp_path / "no.png")
    expect(page.get_by_text("this file could not be read").first).to_be_visible(timeout=30_000)
    assert album.locator("img").first.get_attribute("src") == first


def test_the_page_refuses_what_it_never_sent():
    with pytest.raises(ValueError, match="Picture: expected"):
        snapshot.unpack("data:image/webp;base64,UklGRg==")


# text to image --------------------------------------------------------------------------------------------------------

STAGES_READY = "(q) => document.querySelector('#stages-captions .dgm-stages')?.dataset.link?.includes(q)"


def sheets(page):
    """What stands in the three columns of pictures, of the first row."""
    tiles = page.locator("#stages-captions .grid > .tile")
    return [tiles.nth(at).evaluate("(each) => each.style.backgroundImage") for at in range(3)]


def captioned(page, served, query, wait):
    page.goto(f"{served}/?tab=captions{query}")
    page.wait_for_function(STAGES_READY, arg=wait, timeout=90_000)
    return page.locator("#stages-captions .dgm-stages")


def test_a_caption_is_written_and_a_word_that_is_not_known_is_crossed_out(page, served):
    stages = captioned(page, served, "&seed=5", "seed=5")
    assert stages.locator(".grid > .tile").count() == 12
    before = sheets(page)
    phrase = page.locator("#phrase-captions-caption")
    box = phrase.locator("textarea")
    box.fill("a large blue dreaming four on a pink ground")
    expect(phrase.locator("del")).to_have_text("dreaming")
    expect(phrase.locator(".said")).to_contain_text("is not among the")
    box.press("Enter")
    page.wait_for_function(STAGES_READY, arg="dreaming", timeout=60_000)
    assert all(one != other for one, other in zip(before, sheets(page), strict=True))
    expect(stages.locator(".read").first).to_contain_text("of 4 as asked")
    box.fill("a ")
    expect(phrase.locator(".next button").first).to_be_visible()
    box.type("squ")
    box.press("Tab")
    assert box.input_value() == "a square "
    box.fill("dreaming")
    box.press("Enter")
    expect(page.get_by_text("none of these words is known").first).to_be_visible(timeout=30_000)


def test_a_link_with_a_caption_of_unknown_words_shows_what_everybody_finds(page, served):
    page.goto(f"{served}/?tab=captions&caption=dreaming")
    expect(page.get_by_text("none of these words is known").first).to_be_visible(timeout=60_000)
    expect(page.locator("#stages-captions .grid > .tile")).to_have_count(12, timeout=30_000)


def test_a_stage_is_drawn_again_alone_and_the_one_before_comes_back(page, served):
    stages = captioned(page, served, "&seed=6", "seed=6")
    first = sheets(page)
    stages.get_by_role("button", name="32 × 32: from here").click()
    page.wait_for_function(STAGES_READY, arg="again=0-0-1-0", timeout=60_000)
    second = sheets(page)
    assert second[0] == first[0]
    assert second[1] != first[1]
    assert second[2] != first[2]
    stages.get_by_role("button", name="Image embedding: draw again").click()
    page.wait_for_function(STAGES_READY, arg="again=1-0-1-0", timeout=60_000)
    assert sheets(page)[0] != first[0]
    stages.get_by_role("button", name="Image embedding: the one before").click()
    page.wait_for_function(STAGES_READY, arg="again=0-0-1-0", timeout=60_000)
    assert sheets(page) == second
    link = stages.get_attribute("data-link")
    other = page.context.new_page()
    captioned(other, served, "&" + link.partition("&")[2], "again=0-0-1-0")
    assert sheets(other) == second
    with page.expect_download() as saved:
        stages.get_by_text("PNG").click()
    assert Image.open(saved.value.path()).size == (1024, 256)


def test_a_way_between_two_captions_ends_where_they_are(page, served):
    player = opened(page, served, "captions.between&caption=a+blue+one&other=a+happy+face&seed=3", "captions-between", "seed=3")
    expect(player).to_contain_text("64 × 64")
    page.goto(f"{served}/?tab=captions.between&caption=nothing&other=a+happy+face")
    expect(page.get_by_text("From: none of these words is known").first).to_be_visible(timeout=60_000)


def test_a_pictures_own_embedding_is_decoded_and_the_prior_left_out(page, served):
    player = opened(page, served, "captions.decodings&picture=3&seed=3", "captions-decodings", "seed=3")
    before = player.get_attribute("data-link")
    page.get_by_role("button", name="Another picture").locator("visible=true").click()
    page.wait_for_function(
        "(old) => document.querySelector('#player-captions-decodings .dgm-player').dataset.link !== old", arg=before, timeout=60_000
    )
    player = opened(page, served, "captions.priors&caption=a+green+two&seed=3", "captions-priors", "seed=3")
    for title in ("diffusion prior", "autoregressive prior", "no prior"):
        expect(player).to_contain_text(title)
    expect(player).to_contain_text(re.compile(r"of 2 as asked; cosine of z and its picture"))


def test_two_colours_change_places_and_a_caption_without_any_is_refused(page, served):
    player = opened(page, served, "captions.order&caption=a+green+two+above+an+orange+star&seed=3", "captions-order", "seed=3")
    expect(player).to_contain_text("an orange two, above a green star")
    expect(page.locator("#chart-captions-order table")).to_contain_text(re.compile(r"taught without twins0\.99"))
    page.goto(f"{served}/?tab=captions.order&caption=a+happy+face")
    expect(page.get_by_text("expected two colours or two sizes").first).to_be_visible(timeout=60_000)


# translation ----------------------------------------------------------------------------------------------------------


def test_an_emoji_is_translated_and_back_with_three_weights_of_the_way_back(page, served, photograph):
    player = opened(page, served, "translation&picture=5", "translation", "picture=5")
    for title in ("as trained", "little", "none", "true partner"):
        expect(player).to_contain_text(title)
    expect(player).to_contain_text(re.compile(r"\d+% Twemoji; back off by \d+\.\d %"))
    before = player.get_attribute("data-link")
    page.get_by_role("button", name="Another emoji").locator("visible=true").click()
    page.wait_for_function(
        "(old) => document.querySelector('#player-translation .dgm-player').dataset.link !== old", arg=before, timeout=60_000
    )
    upload(page, "emoji-translation", photograph)
    expect(player).not_to_contain_text("true partner", timeout=60_000)


def test_many_emoji_and_digits_of_two_hands(page, served):
    player = opened(page, served, "translation.many&way=Twemoji+to+Noto&weight=none&seed=4", "translation-many", "weight=none")
    expect(player).to_contain_text("true partner")
    player = opened(page, served, "translation.hands&way=USPS+to+MNIST&seed=4", "translation-hands", "seed=4")
    expect(player).to_contain_text(re.compile(r"read as \d, then \d"))


# 2014 to 2021 ---------------------------------------------------------------------------------------------------------


def test_the_years_pass_from_one_seed_and_each_says_how_far_it_is(page, served):
    player = opened(page, served, "years&seed=5", "years", "seed=5")
    expect(player).to_contain_text(re.compile(r"\d{4}: .+ · .+ · distance \d+"))
    player = opened(page, served, "years.beside&seed=5", "years-beside", "seed=5")
    for year in range(2014, 2022):
        expect(player).to_contain_text(f"{year}: ")


def test_pairs_of_one_code_and_faces_asked_for(page, served):
    player = opened(page, served, "years.pairs&seed=5", "years-pairs", "seed=5")
    for title in ("dark hair", "bright hair"):
        expect(player.get_by_text(title, exact=True)).to_have_count(2)
    player = opened(page, served, "years.asked&guidance=4&seed=5", "years-asked", "guidance=4")
    expect(player).to_contain_text("noise 4")
