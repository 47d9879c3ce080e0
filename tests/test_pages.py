"""The pages as a lecturer meets them: what Start shows, where addresses lead, the hall, keys, sizes on a projector."""

from __future__ import annotations

import io
import json
import re
import time
import urllib.request

import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from dgm_models import catalog
from dgm_models.applications.spot import COUNT, deal
from dgm_models.data import SETS
from dgm_models.ui.app import PAGES, build_app
from dgm_models.ui.film import Film, Row, saved, still
from tests.conftest import some
from tests.test_journeys import PICTURES, Screen, query_of

VIEWS = [address for address in build_app(firsts=False).panels if address not in ("start.spot", "board", "board.chart", "my-digit")]
RESULT = ".dgm-player .stage > *, .dgm-pixels canvas, .dgm-writing .sheet span, .dgm-attention .sheet span, [id^=chart-] :is(table, svg, p)"
SMALL = """() => {
    const found = {}, walker = document.createTreeWalker(document.querySelector('.gradio-container'), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode, box = text.parentElement, style = getComputedStyle(box), size = box.getBoundingClientRect();
        if (!text.textContent.trim() || !box.offsetParent || !size.width || style.visibility === 'hidden') continue;
        if (box.closest('svg, footer, .katex, sub, sup, [aria-hidden=true], .cm-editor')) continue;
        if (parseFloat(style.fontSize) < LEAST) found[`${box.tagName} ${box.className} ${style.fontSize}`] = text.textContent.trim();
    }
    return found; }"""


def shown(page, name: str) -> dict[str, str]:
    return page.evaluate("(n) => ({...document.querySelector(`#player-${n} .dgm-player`).dataset})", name)


# Start ----------------------------------------------------------------------------------------------------------------


def test_the_first_page_shows_the_idea_and_draws_again(page, served):
    """Real digits beside made ones, painted from what is stored; another family, another seed; the nearest digit of a clicked sample."""
    screen = Screen(page, served, "start", "?")
    real, made = page.evaluate(PICTURES, "start-real"), screen.last_frame()
    assert not [url for url in screen.requests if "queue/join" in url and "fn_index" in url]
    screen.do(screen.another().click)
    others = screen.last_frame()
    assert others != made
    renewed = "([n, old]) => document.querySelector(`#player-${n} canvas`).toDataURL() !== old"
    page.wait_for_function(renewed, arg=["start-real", real[0]])
    page.get_by_label("Family", exact=True).locator("visible=true").first.click()
    screen.do(lambda: page.get_by_role("option", name="GAN", exact=True).click())
    assert screen.last_frame() != others
    screen.player.locator("canvas").first.click(position={"x": 120, "y": 30})
    expect(page.locator("#near")).to_contain_text("training digits that ship", timeout=30_000)
    assert "at=1" in shown(page, "start")["link"]
    assert screen.errors == []


def test_every_tile_of_the_map_opens_its_tab_and_plays_its_film(page, served):
    screen = Screen(page, served, "start", "?")
    tiles = page.locator(".dgm-map a.tile")
    tabs = {tab.ID for each in PAGES[1:] for tab in each.trained}
    assert {re.sub(r"^\?tab=", "", tile.get_attribute("href")) for tile in tiles.all()} == tabs
    tile = page.locator(".dgm-map a.tile[href='?tab=diffusion']")
    tile.hover()
    tile.locator("canvas").wait_for(timeout=10_000)
    tile.click()
    screen.look_at("diffusion")
    assert page.url.startswith(f"{served}/families?tab=diffusion")
    assert screen.errors == []


def test_what_a_family_can_do_is_marked_as_the_catalogue_says(page, served):
    from dgm_models.ui.tabs import start

    page.goto(served)
    page.locator(".dgm-map").wait_for(timeout=30_000)
    for tile in (tile for tiles in start.MAP.values() for tile in tiles):
        said = page.locator(f".dgm-map a.tile[href='?tab={tile.tab.ID}'] em").get_attribute("aria-label").split(", ")
        for name in ("sample", "log_prob", "encode", "restore"):
            able = tile.id in catalog.models_for(name)
            able &= name != "log_prob" or catalog.family(tile.id).evidence != "unnormalised"
            assert (start.MARKS[name] in said) == able, (tile.id, name)


def test_the_fakes_are_dealt_among_as_many_real_ones():
    """A function of model and seed; the real ones are held out, and each fake was asked for the label of one of them."""
    hand, again, other = deal("gmm-mnist", 5), deal("gmm-mnist", 5), deal("gmm-mnist", 6)
    assert torch.equal(hand.x, again.x)
    assert torch.equal(hand.made, again.made)
    assert not torch.equal(hand.x, other.x)
    assert int(hand.made.sum()) == int(hand.doubted.sum()) == COUNT // 2
    known = SETS["mnist"].space.read(SETS["mnist"].shown()[0])
    near = torch.stack([(known - one).abs().flatten(1).amax(1).min() for one in hand.x])
    assert torch.equal(near > 1e-3, hand.made)


def test_a_person_spots_the_fakes_and_is_told_how_well(page, served):
    page.goto(f"{served}/?tab=start.spot")
    cards = page.locator(".dgm-spot .card")
    expect(cards).to_have_count(COUNT, timeout=30_000)
    made = deal(next(id for id in catalog.models_for("sample") if catalog.recipe(id).title == "GAN"), 7).made.tolist()
    for i in (i for i in range(COUNT) if made[i]):
        cards.nth(i).click()
    page.get_by_role("button", name="Show which were made").click()
    expect(page.locator(".dgm-spot .said")).to_contain_text(f"You: {COUNT} of {COUNT} right")
    assert [card.get_attribute("data-truth") == "made" for card in cards.all()] == made
    expect(page.locator(".dgm-spot .tally")).to_contain_text("100 %")
    page.get_by_role("button", name="Another", exact=True).locator("visible=true").click()
    expect(page.locator(".dgm-spot .said")).to_have_text("0 marked", timeout=30_000)
    expect(page.locator(".dgm-spot .tally")).to_contain_text("100 %")  # of all hands so far


# addresses ------------------------------------------------------------------------------------------------------------


def test_an_old_address_is_sent_to_its_page(served):
    class Stays(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    opener = urllib.request.build_opener(Stays)
    for start, query, page in (
        ("", "tab=vae.plane&z=1,1", "families"),
        ("", "tab=inpainting", "digits"),
        ("families", "tab=gsn.chain&seed=3", "lesser-known"),
        ("digits", "tab=start", "./"),
    ):
        with pytest.raises(urllib.error.HTTPError) as sent:
            opener.open(f"{served}/{start}?{query}")
        assert sent.value.code == 307
        assert sent.value.headers["Location"] == f"{page}?{query}"
    assert opener.open(f"{served}/families?tab=vae").status == 200
    assert opener.open(f"{served}/?tab=start").status == 200
    assert opener.open(f"{served}/?tab=nothing").status == 200


def test_a_link_to_the_page_has_a_picture_beside_it(served):
    page = urllib.request.urlopen(served).read().decode()
    where = re.search(r'property="og:image" content="([^"]+)"', page)[1]
    picture = urllib.request.urlopen(f"{served}/{where}")
    assert picture.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(picture.read())).size == (1200, 630)  # what sites that show it ask for


def test_the_address_follows_and_back_and_reload_show_the_same(page, served):
    """A change of tab or view is a step of history; a knob is not, and the address says it."""
    screen = Screen(page, served, "mixture")
    page.get_by_role("tab", name="VAE", exact=True).click()
    screen.look_at("vae")
    expect(page).to_have_url(re.compile(r"families\?tab=vae$"))
    screen.do(screen.another().click)
    mine, pictures = shown(page, "vae")["link"], screen.last_frame()
    assert query_of(page) == mine
    page.get_by_role("tab", name="Latent plane", exact=True).click()
    expect(page).to_have_url(re.compile(r"tab=vae\.plane$"))
    page.go_back()
    expect(page.locator("#player-vae")).to_be_visible(timeout=30_000)
    assert query_of(page) == mine
    assert screen.last_frame() == pictures
    page.reload()
    screen.look_at("vae")
    page.wait_for_function("(q) => document.querySelector('#player-vae .dgm-player').dataset.link === q", arg=mine, timeout=60_000)
    assert screen.last_frame() == pictures
    page.go_back()
    expect(page.locator("#player-mixture")).to_be_visible(timeout=30_000)
    assert screen.errors == []


def test_what_others_add_to_an_address_keeps_no_view_from_its_film(page, served):
    """Such as a host's signature: no part of any state."""
    Screen(page, served, "mixture", "?tab=mixture&__sign=abc&utm_source=mail")


def test_a_value_that_was_refused_does_not_hold_up_the_one_before_it():
    """Nor does Stop: what the page shows then is not what it asked for last."""
    from dgm_models.ui import serve

    panel = build_app(firsts=False).panels["mixture"]
    defaults = [each.value for each in panel.inputs]
    place = "some page", panel.address
    assert serve._is_there(panel, defaults, place[0])
    serve._remember(place, None)
    assert not serve._is_there(panel, defaults, place[0])
    serve._remember(place, panel.key(defaults))
    assert serve._is_there(panel, defaults, place[0])


def test_the_good_part_of_an_address_is_used_and_the_rest_is_told(page, served):
    Screen(page, served, "mixture", "?tab=mixture&seed=banana&temperature=0.5")
    page.get_by_text("seed='banana', which is not a value of it", exact=False).first.wait_for(timeout=10_000)
    page.wait_for_function("document.querySelector('#player-mixture .dgm-player').dataset.link.includes('temperature=0.5')", timeout=30_000)
    page.goto(f"{served}/?tab=nothing")
    page.get_by_text("names no view", exact=False).first.wait_for(timeout=30_000)


def test_a_saved_picture_carries_its_link_and_opens_it_where_it_is_dropped(page, served, tmp_path):
    link = "?tab=mixture&digit=3&n=2&seed=9&temperature=1&pixel_noise=1&without=0&data=mnist"
    raw = saved(Film([Row(still(torch.zeros(1, 1, 28, 28)), 1)], "a", link=link).value(), "png")
    assert Image.open(io.BytesIO(raw)).text == {"link": link}
    page.goto(served)
    page.locator(".dgm-map").wait_for(timeout=30_000)
    page.evaluate(
        """(bytes) => { const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(bytes)], 'a.png', {type: 'image/png'}));
        document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true})); }""",
        list(raw),
    )
    page.wait_for_url(re.compile(r"families\?tab=mixture&digit=3&n=2&seed=9"), timeout=30_000)


# in the hall, and by keys ---------------------------------------------------------------------------------------------


def test_the_hall_shows_the_result_alone_in_words_that_carry_and_obeys_keys(page, served):
    page.set_viewport_size({"width": 1280, "height": 720})
    screen = Screen(page, served, "diffusion")
    small = screen.player.locator("canvas").first.bounding_box()["height"]
    page.keyboard.press("h")
    expect(page.locator(".nav-holder")).to_be_hidden()
    page.wait_for_function("(h) => document.querySelector('#player-diffusion canvas').getBoundingClientRect().height > h", arg=1.3 * small)
    assert "hall=1" in page.url
    assert page.evaluate(SMALL.replace("LEAST", "22").replace("'.gradio-container'", "'#player-diffusion'")) == {}
    assert page.evaluate("document.documentElement.scrollHeight") <= 722
    screen.do(lambda: page.keyboard.press("n"))
    assert "hall=1" in page.url
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".nav-holder")).to_be_visible()
    assert "hall" not in page.url
    page.goto(f"{served}/?tab=diffusion&hall=1")
    screen.look_at("diffusion")
    expect(page.locator(".nav-holder")).to_be_hidden(timeout=10_000)
    assert screen.errors == []


def test_only_a_value_that_changed_acts_and_does_so_for_keys_too(page, served):
    screen = Screen(page, served, "mixture")
    before = screen.shown()
    page.get_by_label("Digit", exact=True).locator("visible=true").first.focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(1500)
    assert screen.shown() == before
    assert not page.evaluate("Boolean(document.activeElement.closest('.dgm-player'))")
    slider = page.locator("input[type=range]:visible:not(.scrub)").first
    slider.focus()
    screen.do(lambda: page.keyboard.press("Home"))
    assert "temperature=0&" in shown(page, "mixture")["link"]
    number = page.locator(".dgm-side input[type=number]:visible").first
    number.fill("0.7")
    screen.do(lambda: number.press("Enter"))
    assert "temperature=0.7&" in shown(page, "mixture")["link"]
    number.fill("99")
    screen.do(lambda: number.press("Enter"))  # the limit is what the page shows, and what is drawn
    assert "temperature=1.5&" in shown(page, "mixture")["link"]


def test_a_long_work_is_stopped_and_what_is_there_stays(page, served):
    screen = Screen(page, served, "inpainting", "?tab=inpainting&models=diffusion-mnist,gan-mnist")
    captions = screen.player.locator(".side .caption")
    expect(screen.player).to_have_attribute("data-link", re.compile("models=diffusion-mnist%2Cgan-mnist"), timeout=60_000)
    screen.another().click()
    expect(captions.last).to_have_text("to come", timeout=30_000)
    screen.player.get_by_role("button", name="stop", exact=True).click()
    expect(captions.last).to_have_text("stopped")
    page.wait_for_timeout(3000)
    expect(captions.last).to_have_text("stopped")
    screen.do(screen.another().click)
    expect(captions.last).to_have_text(re.compile("^read as"))


def test_a_picture_is_enlarged_by_a_click_and_a_digit_is_drawn_by_keys(page, served):
    screen = Screen(page, served, "mixture")
    screen.player.locator("canvas").first.click(position={"x": 30, "y": 30})
    expect(screen.player.locator(".zoom canvas")).to_be_visible()
    screen.player.locator(".zoom").click()
    expect(screen.player.locator(".zoom")).to_have_count(0)
    page.goto(f"{served}/?tab=energy.digit")
    pad = page.locator("#sketch-weighed canvas")
    pad.wait_for(timeout=30_000)
    before = pad.evaluate("(c) => c.toDataURL()")
    pad.focus()
    page.keyboard.down(" ")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.up(" ")
    page.wait_for_function("([c, old]) => c.toDataURL() !== old", arg=[pad.element_handle(), before])


# sizes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", some(VIEWS, "start", "mixture", "inpainting", "interpolation"))
def test_on_a_projector_pictures_are_large_and_words_are_read(page, served, address):
    """Tiles of 84 pixels and more where up to four models or rows are compared, and no word below 16."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{served}/?tab={address}")
    page.locator(RESULT).locator("visible=true").first.wait_for(timeout=30_000)
    page.wait_for_timeout(500)
    assert page.evaluate(SMALL.replace("LEAST", "16")) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    if address in ("start", "mixture", "diffusion", "digits", "inpainting", "super-resolution", "interpolation"):
        tall = page.locator("#player-" + address + " canvas").evaluate_all("(all) => all.map((c) => c.getBoundingClientRect().height)")
        lines = 1 if len(tall) > 2 else 2 if address == "start" else 4
        assert min(tall) / lines >= 84 - 6 * (lines - 1) / lines


def test_a_page_brings_only_its_own(served):
    """And none of them is heavy: what a page has besides Gradio's own files and stored films."""
    import gzip

    sizes = {}
    for each in PAGES:
        with urllib.request.urlopen(f"{served}/{each.path}") as reply:
            sizes[each.name] = len(gzip.compress(reply.read()))
    assert max(sizes.values()) < 400_000, sizes
    with urllib.request.urlopen(f"{served}/compare") as reply:
        assert "player-mixture" not in reply.read().decode()


def test_nothing_is_drawn_before_it_is_asked_for(served):
    """A visit to the first page costs no evaluation of any model."""
    from dgm_models.ui.serve import results

    kept = list(results._kept)
    with urllib.request.urlopen(served) as reply:
        assert json.dumps("start")[1:-1] in reply.read().decode()
    time.sleep(0.5)
    assert list(results._kept) == kept
