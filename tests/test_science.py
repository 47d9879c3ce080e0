"""The page Science in a real browser: molecules are drawn, one is looked at, wishes are heard, files are saved."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from rdkit import Chem

TILES = "#player-molecules .molecules figure"
READY = "(q) => document.querySelector('#player-molecules .dgm-player')?.dataset.link?.includes(q)"


def opened(page, served, query="", wait="tab=molecules"):
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(f"{served}/?tab=molecules{query}")
    page.wait_for_function(READY, arg=wait, timeout=60_000)
    page.locator("#player-molecules .dgm-player").press("End")


def test_molecules_are_drawn_letter_by_letter_and_a_click_tells_of_one(page, served):
    opened(page, served)
    expect(page.locator(TILES)).to_have_count(12)
    strings = page.locator(f"{TILES}:not(.wrong) figcaption").all_text_contents()
    assert all(Chem.MolFromSmiles(each) for each in strings)
    player = page.locator("#player-molecules .dgm-player")
    player.press("Home")
    assert set(page.locator(f"{TILES} figcaption").all_text_contents()) == {"\u00a0"}
    player.press("ArrowRight")
    player.press("ArrowRight")
    assert {len(each) for each in page.locator(f"{TILES} figcaption").all_text_contents()} == {2}
    player.press("End")
    page.locator(TILES).nth(2).click()
    expect(page.locator("#molecule .dgm-smiles")).to_have_text(
        page.locator(f"{TILES}").nth(2).get_attribute("title").partition(": ")[0], timeout=30_000
    )
    expect(page.locator("#molecule")).to_contain_text("drug-likeness")
    assert page.errors == []


def test_a_wish_is_heard_and_what_is_saved_is_read_by_its_own_parser(page, served):
    opened(page, served, "&ask=True&heavy_atoms=6&polar_surface=10&logp=0.5&seed=3", "heavy_atoms=6")
    expect(page.locator("#molecule")).to_contain_text("asked: 6")
    with page.expect_download() as saved:
        page.locator("#player-molecules").get_by_text("SDF").click()
    assert saved.value.suggested_filename == "molecules-3.sdf"
    made = [each for each in Chem.SDMolSupplier(saved.value.path()) if each is not None]
    assert len(made) >= 8
    assert sum(each.GetNumHeavyAtoms() for each in made) / len(made) < 7.5


def test_a_wish_out_of_range_is_refused_in_a_sentence(page, served):
    opened(page, served)
    page.goto(f"{served}/?tab=molecules&ask=True&logp=99")
    expect(page.get_by_text(re.compile("logP: expected a number from -3 to 3")).first).to_be_visible(timeout=30_000)


def test_a_string_that_a_person_types_is_read_and_a_broken_one_says_where(page, served):
    page.goto(f"{served}/?tab=molecules.typed")
    facts = page.locator("#chart-molecule-facts")
    expect(facts).to_contain_text("C9H8O4", timeout=30_000)
    box = page.get_by_label("SMILES", exact=True).locator("visible=true")
    box.fill("CC(C)(C)(C)C")
    box.press("Enter")
    expect(facts).to_contain_text("No molecule: too many bonds at C, atom 2", timeout=60_000)
    box.fill("<b>")
    box.press("Enter")
    expect(facts).to_contain_text("<b>", timeout=30_000)
    expect(facts).to_contain_text("No molecule")
