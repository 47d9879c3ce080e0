"""What a person does, in a real browser: look, press, scrub, draw, paint a mask, restore, join, open a copied link."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from dgm_models import Hide, Shrink
from dgm_models.ui import first
from dgm_models.ui.app import PAGES
from dgm_models.ui.tabs.shared import Models
from tests.conftest import busy, some

FAMILIES = ["mixture", "autoregressive", "flow", "vae", "diffusion", "energy", "gan", "belief", "boltzmann", "gsn"]
QUICK = {  # journeys about the page need not wait for every model
    "inpainting": "?tab=inpainting&models=gmm-mnist",
    "super-resolution": "?tab=super-resolution&models=gmm-mnist",
    "interpolation": "?tab=interpolation&models=vae-mnist",
}
APPLICATIONS = ["digits", "inpainting", "super-resolution", "interpolation", "gradient-flow", "gflownet"]
PAD = """(name) => document.querySelector(`#sketch-${name} canvas`).toDataURL()"""
PICTURES = """(name) => [...document.querySelectorAll(`#player-${name} canvas`)].map((c) => c.toDataURL())"""


class Screen:
    """One tab in the browser."""

    def __init__(self, page, address, name, query=""):
        self.page, self.name = page, name
        self.errors, self.requests = [], []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(f"{address}/{query or '?tab=' + name}")
        if name:
            self.look_at(name)

    def look_at(self, name):
        """The player of that name, once it shows something."""
        page, self.name = self.page, name
        self.player = page.locator(f"#player-{name} .dgm-player")
        self.player.wait_for(timeout=30_000)
        self.player.locator("canvas").first.wait_for(timeout=30_000)
        page.wait_for_function("(n) => document.querySelector(`#player-${n} .dgm-player`).dataset.shown > 0", arg=name)

    def shown(self) -> int:
        return int(self.player.get_attribute("data-shown"))

    def wait_for_new(self, before: int) -> None:
        newer = "([n, k]) => Number(document.querySelector(`#player-${n} .dgm-player`).dataset.shown) > k"
        self.page.wait_for_function(newer, arg=[self.name, before], timeout=60_000)

    def do(self, action) -> None:
        """An action that makes a new result."""
        before = self.shown()
        action()
        self.wait_for_new(before)

    def last_frame(self) -> list[str]:
        self.to_frame("max")
        return self.pictures()

    def pictures(self) -> list[str]:
        """What is on the canvases, once every picture of the result is there."""
        drawn = "(n) => { const d = document.querySelector(`#player-${n} .dgm-player`).dataset; return d.drawn && d.drawn === d.shown; }"
        self.page.wait_for_function(drawn, arg=self.name, timeout=30_000)
        return self.page.evaluate(PICTURES, self.name)

    def to_frame(self, where) -> None:
        script = """([n, w]) => { const s = document.querySelector(`#player-${n} .scrub`);
            s.value = w === 'max' ? s.max : w; s.dispatchEvent(new Event('input', {bubbles: true})); }"""
        self.page.evaluate(script, [self.name, where])

    def stroke(self, pad: str, points: list[tuple[float, float]]) -> None:
        """Draw a line on a pad; points in 0..1."""
        canvas = self.page.locator(f"#sketch-{pad} canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        for point in at[1:]:
            self.page.mouse.move(*point, steps=6)
        self.page.mouse.up()

    def another(self):
        """The button that draws another seed, and with it another result."""
        return self.button("Another")

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True).locator("visible=true").first


def opened_quickly(page, address, name) -> Screen:
    """An application with its quick model alone, once that has answered; the first paint is of all models."""
    screen, models = Screen(page, address, name, QUICK[name]), QUICK[name].rpartition("=")[2]
    ready = "([n, q]) => new URLSearchParams(document.querySelector(`#player-${n} .dgm-player`).dataset.link).get('models') === q"
    page.wait_for_function(ready, arg=[name, models], timeout=60_000)
    return screen


def ink(urls: list[str], page) -> float:
    """How dark the first picture is in the mean, 0 to 255: ink on paper."""
    script = """async (url) => {
        const picture = new Image(); picture.src = url; await picture.decode();
        const canvas = Object.assign(document.createElement('canvas'), { width: picture.width, height: picture.height });
        const context = canvas.getContext('2d'); context.drawImage(picture, 0, 0);
        const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
        let dark = 0, count = 0;
        for (let k = 0; k < data.length; k += 4) if (data[k + 3]) { dark += 255 - data[k]; count += 1; }
        return dark / count; }"""
    return page.evaluate(script, urls[0])


def query_of(page) -> str:
    """What the address says besides the page."""
    return "?" + page.url.partition("?")[2]


def spill(screen, width) -> float:
    """By how many pixels the page, or a part of its player, reaches over the right edge."""
    edges = "(parts) => parts.filter((part) => part.offsetParent).map((part) => part.getBoundingClientRect().right)"
    reach = screen.player.locator("button, select, input, canvas, a").evaluate_all(edges)
    return max(screen.page.evaluate("document.documentElement.scrollWidth"), *reach) - width


@pytest.mark.parametrize("name", some(FAMILIES + APPLICATIONS, "mixture"))
def test_the_first_paint_shows_a_result_that_is_scrubbed_without_the_server_and_fits_any_screen(page, served, name):
    page.set_viewport_size({"width": 1280, "height": 720})
    screen = Screen(page, served, name)
    last = screen.last_frame()
    assert ink(last, page) > 10
    assert screen.player.locator(".receipt").text_content().strip()
    local = [url for url in screen.requests if not url.startswith((served, "data:", "blob:"))]
    assert local == []  # nothing leaves the machine
    assert spill(screen, 1280) <= 0

    page.wait_for_timeout(500)
    screen.requests.clear()
    for frame in ("0", "1", "0", "max"):
        screen.to_frame(frame)
        page.wait_for_timeout(60)
    screen.to_frame("0")
    page.wait_for_timeout(100)
    first = page.evaluate(PICTURES, name)
    assert first != last
    screen.player.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(100)
    assert page.evaluate(PICTURES, name) == last
    page.keyboard.press("ArrowLeft")
    assert int(screen.player.get_attribute("data-frame")) == int(page.locator(f"#player-{name} .scrub").get_attribute("max")) - 1
    page.keyboard.press(" ")
    assert screen.player.get_attribute("data-playing") == "yes"
    page.keyboard.press(" ")
    assert screen.player.get_attribute("data-playing") == "no"
    assert screen.requests == []

    page.set_viewport_size({"width": 390, "height": 720})
    page.wait_for_timeout(300)
    assert spill(screen, 390) <= 0
    assert screen.errors == []


def test_every_tab_paints_its_first_result_and_fits_any_screen(page, served):
    """One visitor goes through all tabs, and turns each to a phone's width."""
    screen = Screen(page, served, "mixture")
    for each in PAGES[1:]:
        page.get_by_role("link", name=each.name, exact=True).click()
        for name, tab in ((tab.ID, tab) for tab in each.trained if tab.ID in FAMILIES + APPLICATIONS):
            page.set_viewport_size({"width": 1280, "height": 720})
            page.get_by_role("tab", name=tab.TITLE, exact=True).locator("visible=true").click()
            screen.look_at(name)
            assert ink(screen.last_frame(), page) > 10, name
            assert spill(screen, 1280) <= 0, name
            page.set_viewport_size({"width": 390, "height": 720})
            page.wait_for_timeout(200)
            assert spill(screen, 390) <= 0, name
        page.set_viewport_size({"width": 1280, "height": 720})
    assert screen.errors == []


@pytest.mark.parametrize("name", some(FAMILIES, "mixture"))
def test_a_family_draws_with_new_noise_repeats_with_the_same_seed_and_is_linked(page, served, context, name):
    screen = Screen(page, served, name)
    at_first = screen.last_frame()
    screen.do(screen.another().click)
    changed = screen.last_frame()
    assert changed != at_first
    page.get_by_label("lock", exact=True).locator("visible=true").first.check()
    screen.another().click()
    page.get_by_text("The seed is locked", exact=False).first.wait_for(timeout=10_000)
    assert screen.last_frame() == changed
    opens_the_same(screen, context.new_page(), served)


@pytest.mark.parametrize("name", some(APPLICATIONS, "inpainting"))
def test_a_copied_link_opens_the_same_picture(page, served, context, name):
    screen = opened_quickly(page, served, name) if name in QUICK else Screen(page, served, name)
    first = screen.player.get_attribute("data-link")
    screen.another().click()
    changed = "([n, first]) => document.querySelector(`#player-${n} .dgm-player`).dataset.link !== first"
    page.wait_for_function(changed, arg=[name, first], timeout=60_000)
    opens_the_same(screen, context.new_page(), served)


def opens_the_same(screen, page, address) -> None:
    """The copied link of what a screen shows opens it on another page."""
    pictures, link = screen.last_frame(), screen.player.get_attribute("data-link")
    screen.player.locator(".link").click()
    screen.page.wait_for_timeout(200)
    query = query_of(screen.page)
    assert query.startswith(f"?tab={screen.name}&")
    other = Screen(page, address, screen.name, query)
    wanted = link if screen.name in QUICK else re.search(r"seed=\d+", link)[0]
    linked = "([n, wanted]) => document.querySelector(`#player-${n} .dgm-player`).dataset.link.includes(wanted)"
    page.wait_for_function(linked, arg=[screen.name, wanted], timeout=60_000)
    assert other.last_frame() == pictures


SIDE_PANELS = [
    ("mixture.anatomy", "component=5"),
    ("diffusion.samplers", "of=3"),
    ("vae.plane", "z=1.5,-0.5"),
    ("autoregressive.below", "seed=31"),
    ("autoregressive.any-order", "seed=31"),
    ("flow.journey", "label=3"),
    ("energy.chain", "seed=31"),
    ("gan.walk", "seed=31"),
    ("belief.chains", "after=80"),
    ("belief.digit", "seed=31"),
    ("belief.growth", "seed=31"),
    ("belief.rbm", "seed=31"),
    ("boltzmann.descent", "seed=31"),
    ("gsn.three", "seed=31"),
    ("gsn.chain", "level=0.3"),
    ("gradient-flow.digits", "seed=31"),
    ("gradient-flow.few", "steps=40"),
    ("gflownet.digits", "seed=31"),
    ("gflownet.way", "label=5"),
]


@pytest.mark.parametrize(("name", "query"), some(SIDE_PANELS, "mixture.anatomy", "flow.journey"))
def test_the_link_of_a_side_panel_opens_it(page, served, context, name, query):
    """And what it opens links back to itself; a few panels are opened again from there."""
    player, wanted = name.replace(".", "-"), query.replace(",", "%2C")
    stored = first.read(first.path_of(name))
    assert wanted not in json.dumps(stored)  # so it is another result than the one that everybody finds
    screen = Screen(page, served, player, f"?tab={name}&{query}")
    linked = "([n, q]) => document.querySelector(`#player-${n} .dgm-player`).dataset.link.includes(q)"
    page.wait_for_function(linked, arg=[player, wanted], timeout=60_000)
    assert ink(screen.last_frame(), page) > 0
    page.wait_for_timeout(200)
    screen.player.locator(".link").click()
    page.wait_for_timeout(200)
    assert wanted in page.url
    assert f"tab={name}" in page.url
    assert screen.errors == []
    if name in ("flow.journey", "autoregressive.below", "belief.digit", "gsn.chain", "gradient-flow.few"):  # a pad, knobs, a stream
        other = Screen(context.new_page(), served, player, query_of(page))
        other.page.wait_for_function(linked, arg=[player, wanted], timeout=60_000)
        assert other.last_frame() == screen.last_frame()


def test_the_latent_plane_decodes_where_it_is_clicked(page, served):
    screen = Screen(page, served, "vae-plane", "?tab=vae.plane")
    before = screen.last_frame()
    plane = page.locator(".dgm-plane canvas")
    plane.scroll_into_view_if_needed()
    screen.do(lambda: plane.click(position={"x": 60, "y": 60}))
    clicked = screen.last_frame()
    assert clicked != before
    screen.do(lambda: page.keyboard.press("ArrowRight"))
    assert screen.last_frame() != clicked


def test_pixels_are_clicked_scrubbed_and_linked(page, served, context):
    """A click asks what the pixel listens to; scrubbing asks nothing and changes the chances; the link opens the same pixel."""
    screen = Screen(page, served, "", "?tab=autoregressive.pixels")
    view, shot = page.locator(".dgm-pixels"), "(c) => c.toDataURL()"
    expect(view.locator(".total")).to_contain_text("bits", timeout=30_000)
    field, chances = view.locator(".field"), view.locator(".chances")
    field.scroll_into_view_if_needed()
    first = field.evaluate(shot), chances.evaluate(shot)
    side = view.locator(".picture").bounding_box()["width"]
    view.locator(".picture").click(position={"x": side * 12.5 / 28, "y": side * 20.5 / 28})
    assert view.locator(".count").inner_text() == "row 21, column 13"
    lit = """(c) => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        return d.filter((v, k) => k % 4 === 2 && v > 60).length > 200; }"""
    page.wait_for_function(f"() => ({lit})(document.querySelector('.dgm-pixels .field'))", timeout=30_000)
    assert (field.evaluate(shot), chances.evaluate(shot)) != first
    page.wait_for_timeout(500)
    clicked = field.evaluate(shot)
    view.locator(".link").click()
    page.wait_for_timeout(200)
    other = Screen(context.new_page(), served, "", query_of(page))
    expect(other.page.locator(".dgm-pixels .count")).to_have_text("row 21, column 13", timeout=30_000)
    assert other.page.locator(".dgm-pixels .field").evaluate(shot) == clicked
    screen.requests.clear()
    page.evaluate("""() => { const s = document.querySelector('.dgm-pixels .scrub');
        s.value = 300; s.dispatchEvent(new Event('input', {bubbles: true})); }""")
    page.wait_for_timeout(200)
    assert view.locator(".count").inner_text() == "row 11, column 21"
    assert screen.requests == []
    assert screen.errors == []


def test_a_digit_is_drawn_masked_and_restored(page, served):
    screen = opened_quickly(page, served, "inpainting")
    with_hole = page.evaluate(PAD, "inpainting")
    screen.button("Clear").click()
    cleared = page.evaluate(PAD, "inpainting")
    assert cleared != with_hole  # the digit is gone, the hole stays, and a blank pad asks for nothing
    screen.do(lambda: screen.stroke("inpainting", [(0.35, 0.15), (0.65, 0.15), (0.45, 0.9)]))
    drawn = screen.last_frame()
    assert ink(drawn, page) > 5
    screen.button("Hide").click()
    screen.do(lambda: screen.stroke("inpainting", [(0.1, 0.9), (0.9, 0.9)]))
    assert screen.last_frame() != drawn
    assert "read as" in screen.player.inner_text()
    hole = page.get_by_label("Hole", exact=True).locator("visible=true").first
    expect(hole).to_have_value("painted by you")
    screen.do(screen.button("Undo").click)
    expect(hole).to_have_value("centre")
    assert screen.last_frame() == drawn
    screen.button("Reveal").click()
    for line in range(8, 24, 2):  # no hole is left
        screen.stroke("inpainting", [(0.2, line / 28), (0.8, line / 28)])
    page.get_by_text("Nothing is hidden", exact=False).first.wait_for(timeout=60_000)  # a sentence, and the page stays
    assert ink(screen.last_frame(), page) > 5


def test_answers_come_in_model_by_model(page, served):
    """The first is there long before the last; only the whole counts as a result, and plays."""
    screen = Screen(page, served, "inpainting", "?tab=inpainting&models=gmm-mnist,flow-mnist,diffusion-mnist")
    asked = (
        "(n) => new URLSearchParams(document.querySelector(`#player-${n} .dgm-player`).dataset.link).get('models').split(',').length == 3"
    )
    page.wait_for_function(asked, arg="inpainting", timeout=60_000)
    before = screen.shown()
    screen.another().click()
    captions = screen.player.locator(".side small:first-of-type")
    expect(captions).to_have_text([re.compile("see all but"), re.compile("^read as"), "at work, 2 of 3", "to come"], timeout=30_000)
    assert screen.shown() == before
    save = screen.player.get_by_role("link", name="PNG", exact=True)
    expect(save).to_be_hidden()
    screen.wait_for_new(before)
    assert screen.player.get_attribute("data-playing") == "yes"
    expect(save).to_be_visible()
    expect(captions).to_have_text([re.compile("see all but"), *[re.compile("^read as")] * 3])
    page.wait_for_timeout(1000)
    assert screen.shown() == before + 1  # and once


@pytest.mark.parametrize(("name", "kind"), some([("inpainting", Hide), ("super-resolution", Shrink)]))
def test_every_model_gives_other_answers_at_once(page, served, name, kind):
    screen = Screen(page, served, name)
    before = screen.last_frame()
    screen.do(screen.another().click)
    changed = [a != b for a, b in zip(before, screen.last_frame(), strict=True)]
    asked = Models("restore", kind).leading
    assert sum(changed) == len(asked) == 4  # what was seen and the reference rows stay


def test_keys_move_the_film_after_any_button(page, served):
    screen = Screen(page, served, "mixture")
    screen.do(screen.another().click)
    screen.last_frame()
    last = int(screen.player.get_attribute("data-frame"))
    page.keyboard.press("ArrowLeft")
    assert int(screen.player.get_attribute("data-frame")) == last - 1
    page.keyboard.press("Home")
    assert screen.player.get_attribute("data-frame") == "0"


def test_tables_show_the_predicted_picture_on_demand(page, served):
    screen = Screen(page, served, "digits")
    screen.to_frame("0")
    canvas = screen.pictures()
    screen.player.get_by_role("button", name="x̂", exact=True).click()
    guesses = screen.pictures()
    same = [a == b for a, b in zip(canvas, guesses, strict=True)]
    assert same == [True, True, False, True]  # only diffusion predicts
    screen.player.get_by_role("button", name="x̂", exact=True).click()
    assert page.evaluate(PICTURES, "digits") == canvas


def test_a_test_digit_is_picked_by_its_label(page, served):
    screen = opened_quickly(page, served, "super-resolution")
    before = screen.last_frame()
    page.get_by_label("Which test digit", exact=True).locator("visible=true").first.click()
    screen.do(lambda: page.get_by_role("option", name="3", exact=True).locator("visible=true").first.click())
    assert screen.last_frame() != before


def test_ten_chains_go_on_where_they_were_and_end_somewhere(page, served):
    """The classic demonstration: press, and the same ten chains go on; their end is said, and nothing is lost."""
    screen = Screen(page, served, "belief-chains", "?tab=belief.chains")
    at_first = screen.last_frame()
    screen.do(screen.button("Go on, 40 sweeps").click)
    on = screen.last_frame()
    assert screen.player.locator(".now").first.inner_text() == "sweep 80"
    assert len(on) == 3
    assert all(one != other for one, other in zip(on, at_first, strict=True))
    last = Screen(page, served, "belief-chains", "?tab=belief.chains&after=960")
    linked = "() => document.querySelector('#player-belief-chains .dgm-player').dataset.link.includes('after=960')"
    page.wait_for_function(linked, timeout=60_000)
    end = last.last_frame()
    screen.button("Go on, 40 sweeps").click()
    page.get_by_text("as far as this page follows them", exact=False).first.wait_for(timeout=10_000)
    assert last.last_frame() == end


def test_a_drawn_digit_is_recognised_and_dreamt_on(page, served):
    screen = Screen(page, served, "belief-digit", "?tab=belief.digit")
    screen.do(lambda: screen.stroke("believed", [(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)]))
    said = page.locator("#chart-belief-reading svg").get_attribute("aria-label")
    assert said.startswith("p(y | features): a ")
    assert screen.errors == []


def test_a_chain_wanders_from_a_drawn_digit(page, served):
    screen = Screen(page, served, "gsn-chain", "?tab=gsn.chain")
    screen.do(lambda: screen.stroke("wandering", [(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)]))
    assert page.locator("#chart-gsn-chain svg").get_attribute("aria-label").startswith("The digit that is read in each chain: ")
    assert screen.errors == []


def test_the_way_to_a_drawn_digit_is_weighed(page, served):
    screen = Screen(page, served, "gflownet-way", "?tab=gflownet.way")
    screen.do(lambda: screen.stroke("weighed-way", [(0.2, 0.2), (0.8, 0.8)]))
    assert "your digit" in page.locator("#chart-gflownet-way svg").get_attribute("aria-label")
    assert "reward" in screen.player.inner_text()
    assert screen.errors == []


def test_a_reward_is_drawn_and_the_flow_learns_it(page, served):
    """The reward is the person's own, and the page trains on it and says how far off it is."""
    screen = Screen(page, served, "gflownet", "?tab=gflownet&steps=50")
    screen.stroke("reward", [(0.2, 0.8), (0.8, 0.2)])
    expect(page.get_by_label("Reward", exact=True).locator("visible=true").first).to_have_value("drawn")
    screen.button("Train").click()
    finished = "() => document.querySelector('#player-gflownet .receipt').textContent.startsWith('trained here and now')"
    page.wait_for_timeout(500)
    page.wait_for_function(finished, timeout=180_000)
    screen.to_frame("max")
    assert "TV 0." in screen.player.locator(".now").first.inner_text()
    assert screen.errors == []


def test_a_drawn_digit_is_enlarged(page, served):
    screen = opened_quickly(page, served, "super-resolution")
    before = screen.last_frame()
    screen.do(lambda: screen.stroke("super-resolution", [(0.2, 0.2), (0.8, 0.2)]))
    assert screen.last_frame() != before
    screen.do(lambda: page.get_by_label("7×", exact=True).locator("visible=true").first.check())
    assert "read as" in screen.player.inner_text()


def test_a_drawn_digit_is_joined_to_another(page, served):
    screen = opened_quickly(page, served, "interpolation")
    before = screen.last_frame()
    screen.do(lambda: screen.stroke("a", [(0.3, 0.2), (0.3, 0.8)]))
    assert screen.last_frame() != before
    assert "slerp" in screen.player.inner_text()


def test_a_typed_text_becomes_digits(page, served):
    screen = Screen(page, served, "digits")
    box = page.get_by_label("Digits", exact=False).locator("visible=true").first
    box.fill("314")
    screen.do(lambda: box.press("Enter"))
    assert "of 3)" in screen.player.text_content()
    box.fill("3x4")
    box.press("Enter")
    page.get_by_text("expected 1 to 16 of 0 to 9", exact=False).first.wait_for(timeout=10_000)
    assert "of 3)" in screen.player.text_content()  # the work is not lost


def test_saved_files_are_what_is_shown(page, served):
    """Of the result that everybody finds, and of one's own."""
    screen = Screen(page, served, "mixture")
    saved = []
    for own in (False, True):
        if own:
            screen.do(screen.another().click)
        for ending, magic in (("PNG", b"\x89PNG"), ("GIF", b"GIF8"), ("NPY", b"\x93NUMPY")):
            with page.expect_download() as caught:
                screen.player.get_by_role("link", name=ending, exact=True).click()
            assert caught.value.suggested_filename.endswith(ending.lower())
            with open(caught.value.path(), "rb") as file:
                saved.append(file.read())
            assert saved[-1].startswith(magic)
    assert all(one != other for one, other in zip(saved[:3], saved[3:], strict=True))


def test_a_stored_film_that_cannot_be_fetched_says_so_and_a_new_one_comes(page, served):
    page.route("**/gradio_api/first/mixture.json*", lambda route: route.abort())
    page.goto(f"{served}/?tab=mixture")
    player = page.locator("#player-mixture .dgm-player")
    expect(player.locator(".receipt")).to_contain_text("could not be loaded", timeout=30_000)
    page.get_by_role("button", name="Another", exact=True).locator("visible=true").first.click()
    expect(player).to_have_attribute("data-shown", "1", timeout=60_000)


def test_a_page_that_is_opened_with_nonsense_still_opens(page, served):
    screen = Screen(page, served, "mixture", "?tab=mixture&seed=banana&digit=%3Cscript%3E")
    page.get_by_text("could not be opened", exact=False).first.wait_for(timeout=10_000)
    assert ink(screen.last_frame(), page) > 10


def test_a_waiting_person_sees_their_place_and_the_last_picture(page, served, context):
    people = [Screen(page, served, "mixture"), Screen(context.new_page(), served, "mixture")]
    before = [person.shown() for person in people]
    with busy():
        for person, word in zip(people, ("1 before you, about ", "2 before you, about "), strict=True):
            person.another().click()
            place = person.page.locator("#player-mixture .progress-text")
            expect(place).to_contain_text(word, timeout=10_000)
            expect(place).to_be_in_viewport()
            assert ink(person.page.evaluate(PICTURES, "mixture"), person.page) > 10
    for person, shown in zip(people, before, strict=True):
        person.wait_for_new(shown)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_board_draws_what_is_chosen(page, served, width):
    page.set_viewport_size({"width": width, "height": 720})
    page.goto(f"{served}/?tab=board.chart")
    chart = page.locator("#chart-board svg")
    chart.wait_for(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Upwards", exact=True).click()
    page.get_by_role("option", name="bits a dimension", exact=True).click()
    page.locator("#chart-board svg[aria-label^='bits a dimension']").wait_for(timeout=10_000)
    assert chart.locator("circle").count() >= 3


def test_the_table_of_figures_is_sorted_by_its_heads(page, served):
    page.goto(f"{served}/?tab=board")
    page.get_by_label("cost", exact=True).locator("visible=true").first.check()
    head = page.get_by_role("button", name="million parameters", exact=True)
    head.wait_for(timeout=30_000)
    place = head.evaluate("(button) => button.parentElement.cellIndex")
    column = f"() => [...document.querySelectorAll('.dgm-board tr')].slice(1).map((row) => Number(row.cells[{place}].dataset.value))"
    for down in (False, True):  # fewer is better
        head.click()
        values = page.evaluate(column)
        assert values == sorted(values, reverse=down)
        assert len(values) > 10


@pytest.mark.parametrize("width", [1280, 390])
def test_my_digit_is_judged_by_every_model_and_linked(page, served, context, width):
    page.set_viewport_size({"width": width, "height": 720})
    page.goto(f"{served}/?tab=my-digit")
    verdict = page.locator("#verdict")
    verdict.locator("tr").nth(5).wait_for(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    before = verdict.inner_text()
    if width > 700:
        page.get_by_role("button", name="Another digit", exact=True).locator("visible=true").click()
        page.wait_for_function("(t) => document.querySelector('#verdict').innerText !== t", arg=before, timeout=60_000)
        expect(verdict.locator(".dgm-doing")).to_have_count(0, timeout=60_000)
        figures = "[...document.querySelectorAll('#verdict td:nth-child(2)')].map((cell) => cell.textContent).join()"
        said = page.evaluate(figures)
        other = context.new_page()
        other.goto(served + "/" + verdict.locator("a").get_attribute("href"))
        other.wait_for_function(f"(said) => {figures} === said", arg=said, timeout=60_000)


INK = """(name) => { const c = document.querySelector(`#sketch-${name} canvas`), d = c.getContext('2d').getImageData(0, 0, 28, 28).data;
    let mass = 0, down = 0, across = 0;
    for (let i = 0; i < 784; i++) { const v = 255 - d[4 * i]; mass += v; down += v * Math.floor(i / 28); across += v * (i % 28); }
    return [mass / 255, down / mass, across / mass]; }"""
TOUCH = """([name, kind, id, x, y]) => { const c = document.querySelector(`#sketch-${name} canvas`), b = c.getBoundingClientRect();
    c.setPointerCapture = () => {};
    c.dispatchEvent(new PointerEvent(kind, {pointerId: id, pointerType: 'touch', button: 0, bubbles: true,
        clientX: b.left + x * b.width, clientY: b.top + y * b.height})); }"""


def test_a_pad_follows_one_finger_and_centres_what_it_drew(page, served):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{served}/?tab=my-digit")
    screen = Screen.__new__(Screen)
    screen.page = page
    page.locator("#sketch-judged canvas").wait_for(timeout=30_000)
    screen.button("Clear").click()
    touch = lambda *what: page.evaluate(TOUCH, ["judged", *what])  # noqa: E731
    touch("pointerdown", 1, 0.2, 0.1)
    touch("pointermove", 1, 0.2, 0.3)
    one, *_ = page.evaluate(INK, "judged")
    touch("pointerdown", 2, 0.9, 0.9)  # another finger rests on the pad, and moves
    touch("pointermove", 2, 0.8, 0.2)
    touch("pointerup", 2, 0.8, 0.2)
    assert page.evaluate(INK, "judged")[0] == one
    touch("pointermove", 1, 0.2, 0.5)
    touch("pointerup", 1, 0.2, 0.5)
    drawn, down, across = page.evaluate(INK, "judged")
    assert drawn > one
    assert max(abs(down - 14), abs(across - 14)) > 4  # where it was drawn
    page.wait_for_function(f"() => ({INK})('judged').slice(1).every((at) => Math.abs(at - 14) <= 0.6)", timeout=10_000)
    assert page.evaluate(INK, "judged")[0] == pytest.approx(drawn)
    box = page.locator("#sketch-judged canvas").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.up(button="right")
    assert page.evaluate(INK, "judged")[0] == pytest.approx(drawn)
    expect(page.locator(".dgm-near")).to_contain_text("training digits that ship lies", timeout=60_000)


def test_an_uploaded_picture_is_read_and_nothing_of_it_stays(page, served, tmp_path):
    import os
    from pathlib import Path

    from PIL import Image, ImageDraw

    from dgm_models.ui.serve import results

    sheet = Image.new("RGB", (300, 200), (110, 108, 100))
    ImageDraw.Draw(sheet).line([(140, 30), (140, 120)], fill=(20, 20, 60), width=14)
    sheet.save(tmp_path / "one.png")
    screen = Screen(page, served, "flow-journey", "?tab=flow.journey")
    before, kept = page.evaluate(INK, "travelling"), list(results._kept)
    upload = page.locator("#sketch-travelling").locator("xpath=following::input[@type='file'][1]")
    screen.do(lambda: upload.set_input_files(tmp_path / "one.png"))
    assert page.evaluate(INK, "travelling") != before
    receipt = screen.player.locator(".receipt").text_content()
    assert "it came back" in receipt or "pixels came back otherwise" in receipt
    assert list(results._kept) == kept
    assert [path for path in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*") if path.name.startswith("one")] == []
    assert screen.errors == []


def test_another_data_set_is_chosen_and_everything_on_the_page_says_so(page, served):
    """Its model draws, its classes are named, its scores are beside it, the link opens it again."""
    screen = Screen(page, served, "mixture")
    digits = screen.last_frame()
    screen.do(lambda: page.get_by_role("radio", name="Fashion-MNIST").locator("visible=true").first.check())
    assert screen.last_frame() != digits
    assert ink(digits, page) < 128 < ink(screen.last_frame(), page), "digits are ink on paper, garments lie on black"
    expect(page.get_by_label("Garment", exact=True).locator("visible=true").first).to_be_visible(timeout=20_000)
    assert "data=fashion" in screen.player.get_attribute("data-link")
    made = screen.last_frame()
    page.goto(f"{served}/{screen.player.get_attribute('data-link')}")
    screen.look_at("mixture")
    page.wait_for_function("(n) => document.querySelector(`#player-${n} .dgm-player`).dataset.link.includes('fashion')", arg="mixture")
    assert screen.last_frame() == made
    assert screen.errors == []
