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


def test_a_piece_is_kept_and_a_broken_one_leaves_what_is_there(page, served):
    opened(page, served, "&piece=C%23N&seed=5", "piece=C%23N")
    nitrile = Chem.MolFromSmiles("C#N")
    titles = [each.get_attribute("title").partition(": ")[0] for each in page.locator(TILES).all()]
    assert len(titles) == 12
    assert all(Chem.MolFromSmiles(each).HasSubstructMatch(nitrile) for each in titles)
    box = page.get_by_label("Must be in it").locator("visible=true")
    box.fill("C#(")
    box.press("Enter")
    expect(page.get_by_text(re.compile("Must be in it: expected a SMILES string")).first).to_be_visible(timeout=60_000)
    assert page.locator(TILES).first.get_attribute("title").startswith(titles[0])


def test_a_molecule_that_is_looked_at_turns_in_space(page, served):
    opened(page, served)
    body = page.locator("#molecule .dgm-solid svg")
    expect(body.locator("circle").first).to_be_visible(timeout=30_000)
    before = body.inner_html()
    body.focus()
    page.keyboard.press("ArrowRight")
    assert body.inner_html() != before
    box = body.bounding_box()
    turned = body.inner_html()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, box["y"] + 80, steps=4)
    page.mouse.up()
    assert body.inner_html() != turned


def test_drug_like_molecules_are_drawn_and_a_string_of_one_is_read_by_the_model_that_knows_them(page, served):
    opened(page, served, "&model=gpt-zinc&seed=4", "model=gpt-zinc")
    expect(page.locator(TILES)).to_have_count(12)
    titles = [each.get_attribute("title").partition(": ")[0] for each in page.locator(f"{TILES}:not(.wrong)").all()]
    assert len(titles) >= 8
    assert max(map(len, titles)) > 30
    expect(page.locator("#molecule")).to_contain_text("are different ones")
    expect(page.locator("#molecule")).not_to_contain_text("are new")  # ZINC does not ship whole
    page.goto(f"{served}/?tab=molecules.typed&smiles={titles[0].replace('#', '%23').replace('+', '%2B')}")
    drawing = page.locator("#chart-molecule-drawing")
    expect(drawing).to_contain_text("nats in all", timeout=30_000)
    page.get_by_label("Model").locator("visible=true").click()
    page.get_by_role("option", name="GPT, QM9").click()
    expect(drawing).to_contain_text("The model spells with", timeout=30_000)
    assert page.errors == []


def test_another_model_of_molecules_builds_them_atom_by_atom(page, served):
    opened(page, served, "&model=gflownet-qm9&seed=4", "model=gflownet-qm9")
    expect(page.locator(TILES)).to_have_count(12)
    player = page.locator("#player-molecules .dgm-player")
    player.press("Home")
    assert set(page.locator(f"{TILES} figcaption").all_text_contents()) == {"\u00a0"}
    player.press("ArrowRight")
    assert {len(each) for each in page.locator(f"{TILES} figcaption").all_text_contents()} == {1}
    player.press("End")
    assert all(Chem.MolFromSmiles(each) for each in page.locator(f"{TILES} figcaption").all_text_contents())


def test_a_piece_is_drawn_instead_of_typed(page, served):
    opened(page, served)
    page.get_by_role("button", name="Draw it").click()
    pad = page.locator("#piece-piece svg")
    pad.click(position={"x": 60, "y": 60})
    page.locator("#piece-piece").get_by_role("button", name="O", exact=True).click()
    pad.click(position={"x": 110, "y": 60})
    box = page.get_by_label("Must be in it").locator("visible=true")
    expect(box).to_have_value("CO", timeout=30_000)
    pad.press("=")  # the bond of the chosen atom
    expect(box).to_have_value("C=O", timeout=30_000)
    page.wait_for_function(READY, arg="piece=C%3DO", timeout=60_000)
    expect(page.locator("#molecule")).to_contain_text("hold the piece")
    pad.press("o")  # oxygen has no third bond to give
    expect(page.get_by_text(re.compile("Piece: too many bonds at O")).first).to_be_visible(timeout=30_000)
    expect(box).to_have_value("C=O")
    pad.press("Backspace")
    assert page.errors == []


def test_a_reward_is_mixed_and_who_draws_in_proportion_follows_with_variety(page, served):
    page.goto(f"{served}/?tab=molecules.reward&qed=0&logp=1&seed=3")
    ready = "document.querySelector('#player-molecules-reward .dgm-player')?.dataset.link?.includes('logp=1')"
    page.wait_for_function(ready, timeout=90_000)
    page.locator("#player-molecules-reward .dgm-player").press("End")
    rows = page.locator("#chart-proposals table tr")
    expect(rows).to_have_count(4)
    told = {row.locator("th").text_content(): row.locator("td").all_text_contents() for row in rows.all()[1:]}
    assert float(told["GFlowNet"][0]) > float(told["GPT"][0])  # which does not know the reward
    assert int(told["GFlowNet"][2]) > 55  # different ones of 64
    assert int(told["MolGAN"][2]) < 20
    page.goto(f"{served}/?tab=molecules.reward&qed=9")
    expect(page.get_by_text(re.compile("drug-likeness QED: expected a number from -1 to 1")).first).to_be_visible(timeout=30_000)


def test_a_policy_is_tuned_to_a_reward_while_one_looks(page, served):
    page.goto(f"{served}/?tab=molecules.policy&qed=0&logp=1&beta=0.05&steps=4&seed=3")
    ready = "document.querySelector('#player-molecules-policy .dgm-player')?.dataset.link?.includes('logp=1')"
    page.wait_for_function(ready, timeout=120_000)
    expect(page.locator("#chart-policy circle")).to_have_count(4)  # a step each
    rows = page.locator("#chart-policy table tr")
    expect(rows).to_have_count(6)  # before, and after each of four parts
    told = [row.locator("td").all_text_contents() for row in rows.all()[1:]]
    assert all(int(valid.rstrip("%")) > 80 for _, valid, _, _ in told)
    expect(page.locator("#player-molecules-policy")).to_contain_text("trained here and now")
    page.goto(f"{served}/?tab=molecules.policy&beta=7")
    expect(page.get_by_text(re.compile("KL weight β: expected a number from 0 to 0.5")).first).to_be_visible(timeout=30_000)


def test_one_walks_from_one_molecule_to_another_and_what_the_model_cannot_spell_is_refused(page, served):
    page.goto(f"{served}/?tab=molecules.between&one=CCCO&other=c1ccoc1")
    told = page.locator("#chart-between")
    expect(told).to_contain_text("different molecules on 10 codes", timeout=60_000)
    figures = page.locator("#player-molecules-between .molecules figure")
    expect(figures).to_have_count(10, timeout=30_000)
    assert all(Chem.MolFromSmiles(each.get_attribute("title")) for each in figures.all())
    box = page.get_by_label("Second molecule").locator("visible=true")
    box.fill("CC(=O)Oc1ccccc1C(=O)O")
    box.press("Enter")
    expect(page.get_by_text(re.compile("Second molecule: this model knows molecules of at most nine atoms")).first).to_be_visible(
        timeout=60_000
    )
    box.fill("C1CC")
    box.press("Enter")
    expect(page.get_by_text(re.compile("Second molecule: no molecule: ring 1, from letter 2, stays open")).first).to_be_visible(
        timeout=60_000
    )


def test_what_was_asked_for_and_what_was_measured_lie_near_the_line(page, served):
    page.goto(f"{served}/?tab=molecules.asked&of=heavy+atoms&seed=2")
    chart = page.locator("#chart-asked svg.dgm-chart")
    expect(chart).to_contain_text("asked for: heavy atoms", timeout=60_000)
    assert chart.locator("circle").count() > 100
    assert float(re.search(r"correlation (\S+)", chart.text_content())[1][:4]) > 0.8
