"""Language: words that must come are there, whatever one asks; what each token was drawn from; refusals in words; the tab's HTML."""

from __future__ import annotations

import re

import pytest

from dgm_models import catalog
from dgm_models.applications import language
from dgm_models.families.text import TextSettings
from dgm_models.ui.tabs import language as tab

MODELS = [*language.models().values()]


def written(id: str, prompt: str = "What say you", count: int = 60, seed: int = 7, **more: object) -> language.Written:
    *_, said = language.write(id, prompt, count, seed, **more)
    return said


@pytest.mark.parametrize("id", MODELS)
@pytest.mark.parametrize("way", language.WAYS)
def test_words_that_must_come_are_there_as_whole_words_and_said_to_be(id, way):
    for seed, words in enumerate((["moon"], ["a king", "sword"])):
        said = written(id, seed=seed, words=words, way=way)
        assert said.over
        assert len(said.tokens) == len(said.kinds)
        for word in words:
            assert re.search(rf"(?<!\w){word}(?!\w)", said.text), f"{word!r} in {said.text!r}"
        asked = "".join(token for token, kind in zip(said.tokens, said.kinds, strict=True) if kind == language.ASKED)
        assert asked.replace(" ", "") == "".join(words).replace(" ", "")
        assert said.text.startswith("What say you")
        assert said.kinds.startswith(language.GIVEN * len(language.spelt(id, "What say you")))


def test_a_text_is_a_function_of_its_seed_and_grows_as_it_is_drawn():
    parts = list(language.write("ngram-shakespeare", "", 64, 3))
    assert all(later.text.startswith(sooner.text) for sooner, later in zip(parts[:-1], parts[1:], strict=True))
    assert len(parts[-1].tokens) == 64
    assert written("ngram-shakespeare", "", 64, 3).text == parts[-1].text != written("ngram-shakespeare", "", 64, 4).text


def test_it_goes_on_to_the_end_of_a_sentence_and_an_empty_line_before_it_is_not_shown():
    said = written("ngram-shakespeare", count=20, whole=True)
    assert said.text.rstrip("\"' \n")[-1] in ".!?"
    fresh = written("ngram-shakespeare", "KING", afresh=True)
    assert fresh.text.startswith("KING")
    assert fresh.text != written("ngram-shakespeare", "KING").text


@pytest.mark.parametrize("id", MODELS)
@pytest.mark.parametrize("afresh", [False, True])
def test_each_token_stands_among_those_it_could_have_been_with_its_chance(id, afresh):
    settings = TextSettings(temperature=0.7, top_p=0.9)
    said = written(id, settings=settings, afresh=afresh)
    found = language.choices(id, said, settings)
    made = [i for i, kind in enumerate(said.kinds) if kind == language.MADE]
    for i in made:
        assert said.tokens[i] in found.tokens[i]
        at = found.tokens[i].index(said.tokens[i])
        assert found.after[i, at] > 0, "what was drawn was not cut off"
        assert found.nats[i].item() == pytest.approx(-found.before[i, at].log().item(), abs=1e-3)
    assert (found.before.diff(dim=1) <= 0).all()
    assert (found.after.sum(1) <= 1 + 1e-4).all()
    assert found.nats.shape == (len(said.tokens),)


def test_what_cannot_be_spelt_or_is_too_long_is_refused_by_a_sentence():
    for prompt, said in (
        ("Ω mega", "Prompt: this model spells with .*, and knows no Ω"),
        ("שלום", "knows no ו, ל"),
        ("good \U0001f600", "knows no \U0001f600"),
        ("a\x00b", r"knows no U\+0000"),
        ("a" * 5_000_000, "Prompt: expected at most 4,000 letters, got 5,000,000"),
    ):
        with pytest.raises(ValueError, match=said):
            written("ngram-shakespeare", prompt)
    space = catalog.dataset("ngram-shakespeare").space
    assert language.asked_words(space, " moon ,, a  sword,") == ["moon", "a sword"]
    for words, said in (("1984", "Words: this model spells"), ("a,b,c,d,e,f,g", "at most 6"), ("moon!", "begin and end with a letter")):
        with pytest.raises(ValueError, match=said):
            language.asked_words(space, words)


def test_a_text_that_is_typed_is_no_markup():
    assert "<b>" not in tab.heat(["<b>", "'"], [1.0, 9.0])
    assert "--heat:1.00" in tab.heat(["x"], [60.0])
    assert tab.verse("a\n\n<b>") == "a / &lt;b&gt;"


def test_a_name_that_was_met_is_foretold_by_what_looks_far_back_and_not_by_what_cannot():
    gpt, counted = (language.recalled(id, language.KNOWN.lower()) for id in (language.GPT, language.COUNTED))
    assert gpt.cost(met=False) - gpt.cost(met=True) > 1
    assert counted.cost(met=True) == pytest.approx(counted.cost(met=False), abs=1e-3)
    assert "".join(gpt.met[0]).startswith(f"{language.KNOWN}:")
    assert gpt.met[0][-gpt.length :] == list(language.KNOWN)
    for name in ("X", "A B", "Ω" * 3, "A" * 13):
        with pytest.raises(ValueError, match="Name: expected 2 to 12 letters from A to Z"):
            language.recalled(language.COUNTED, name)
