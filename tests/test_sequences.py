"""The page Sequences in a real browser: write, ask for words, branch, go back, stop, a text of one's own, more context, scale."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

SHEET = "#writing-language .sheet"


class Writing:
    """The page that a model writes on."""

    def __init__(self, page, address, query="?tab=language&model=ngram-shakespeare&words=&length=60"):
        self.page, self.errors = page, []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(f"{address}/{query}")
        self.box = page.locator("#writing-language .dgm-writing")
        self.box.wait_for(timeout=30_000)
        wanted = "(q) => (document.querySelector('#writing-language .dgm-writing').dataset.link || '').includes(q)"
        page.wait_for_function(wanted, arg=query.partition("&words")[0].partition("model=")[2], timeout=60_000)

    def text(self) -> str:
        return self.page.locator(SHEET).text_content()

    def do(self, action) -> None:
        before = int(self.box.get_attribute("data-shown"))
        action()
        newer = "(k) => Number(document.querySelector('#writing-language .dgm-writing').dataset.shown) > k"
        self.page.wait_for_function(newer, arg=before, timeout=60_000)

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True).locator("visible=true").first


def test_a_text_is_written_goes_on_branches_and_comes_back(page, served):
    writing = Writing(page, served)
    first = writing.text()
    assert first.startswith("KING HENRY:\nWhat say you to")
    writing.do(writing.button("continue").click)
    longer = writing.text()
    assert longer.startswith(first)
    assert len(longer) >= len(first) + 60
    assert page.get_by_label("Prompt", exact=True).locator("visible=true").first.input_value() == first
    writing.do(writing.button("undo").click)
    assert writing.text() == first
    spans = page.locator(f"{SHEET} span")
    spans.nth(40).click()
    bars = writing.box.locator(".bars button")
    expect(bars).to_have_count(8)
    expect(writing.box.locator(".bars .own")).to_have_count(1)
    other = writing.box.locator(".bars button:not(.own)").first
    token = other.locator("b").text_content().replace("␣", " ").replace("↵", "\n")
    before = "".join(spans.all_text_contents()[:40])
    writing.do(other.click)
    assert writing.text().startswith(before + token)
    branched, tree = writing.text(), writing.box.locator(".branches button")
    expect(tree).to_have_count(3)  # the first, the longer one, and the one that parts from it
    expect(writing.box.locator(".branches li li button").last).to_contain_text(branched[len(before) :][:20].replace("\n", " ↵ ")[:12])
    tree.first.click()
    assert writing.text() == first
    tree.last.click()
    assert writing.text() == branched
    page.locator(SHEET).focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(spans.nth(1)).to_have_class(re.compile("here"))
    assert writing.errors == []


def test_words_that_are_asked_for_come_underlined_and_the_link_opens_the_same_text(page, served):
    writing = Writing(page, served)
    box = page.get_by_label("Try to include these words").locator("visible=true").first
    box.fill("moon, sword")
    writing.do(lambda: box.press("Enter"))
    assert page.locator(f"{SHEET} .a").all_text_contents() == list("moonsword")
    text, link = writing.text(), writing.box.get_attribute("data-link")
    assert "words=moon%2C+sword" in link
    with page.expect_download() as saved:
        writing.box.get_by_text("TXT").click()
    assert saved.value.suggested_filename == "ngram-shakespeare-7.txt"
    page.goto(f"{served}/{link}")
    writing.box.wait_for(timeout=30_000)
    page.wait_for_function("() => document.querySelector('#writing-language .dgm-writing').dataset.link?.includes('model=ngram')")
    assert writing.text() == text


def test_a_word_that_cannot_be_spelt_is_refused_and_the_text_stays(page, served):
    writing = Writing(page, served)
    before, box = writing.text(), page.get_by_label("Try to include these words").locator("visible=true").first
    box.fill("1984")
    box.press("Enter")
    expect(page.get_by_text("Words: this model spells with")).to_be_visible(timeout=20_000)
    assert writing.text() == before


def test_writing_is_stopped_and_what_is_there_stays(page, served):
    writing = Writing(page, served, "?tab=language&model=gpt-tales&words=&length=20")
    length = page.get_by_role("spinbutton", name=re.compile("Length to generate")).locator("visible=true").first
    length.fill("1200")
    length.press("Enter")
    stop = writing.button("stop")
    stop.click(timeout=30_000)
    text = writing.text()
    page.wait_for_timeout(2500)
    assert writing.text() == text
    length.fill("20")
    writing.do(lambda: length.press("Enter"))
    assert writing.text() != text


def test_a_text_of_ones_own_is_measured_by_two_models(page, served):
    page.goto(f"{served}/?tab=language.text")
    heats = page.locator(".dgm-heat")
    expect(heats).to_have_count(2, timeout=30_000)
    box = page.get_by_label("Your text", exact=True).locator("visible=true").first
    box.fill("My lord, the <b>king</b>.")
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("Text: this model spells with").first).to_be_visible(timeout=20_000)
    expect(heats).to_have_count(2)
    box.fill("My lord, the king.")
    page.get_by_role("button", name="Measure").click()
    expect(heats.first).to_have_text("My lord, the king.", timeout=20_000)


def test_a_model_is_tuned_to_a_reward_and_its_texts_and_its_distance_are_shown(page, served):
    page.goto(f"{served}/?tab=language.reward&reward=questions&beta=0&steps=5")
    player = page.locator("#player-language-reward .dgm-player")
    page.wait_for_function(
        "document.querySelector('#player-language-reward .dgm-player')?.dataset.link?.includes('steps=5')", timeout=120_000
    )
    expect(page.locator("#chart-language-reward circle")).to_have_count(5)
    player.press("End")
    expect(player.locator(".note")).to_contain_text("step 5: 100 letters earn")
    expect(player.locator(".texts p")).to_have_count(3)


def test_words_are_counted_too(page, served):
    page.goto(f"{served}/?tab=language.context")
    rows = page.locator(".dgm-context tr").locator("visible=true")
    expect(rows).to_have_count(10, timeout=30_000)
    page.get_by_label("words", exact=True).locator("visible=true").check()
    expect(rows).to_have_count(5, timeout=60_000)
    expect(page.locator(".dgm-next")).to_contain_text("P(next word | to)")


@pytest.mark.parametrize(("view", "rows"), [("context", 10), ("scale", 10)])
def test_a_view_begins_with_its_result(page, served, view, rows):
    page.goto(f"{served}/?tab=language.{view}")
    expect(page.locator(".dgm-context tr").locator("visible=true")).to_have_count(rows, timeout=30_000)
