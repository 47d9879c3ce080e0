"""A text model tuned to a reward: it learns what pays, its distance is paid for, and it ends where theory says."""

from __future__ import annotations

import math

import pytest
import torch

from dgm_models.applications import words
from dgm_models.applications.reward import REWARDS, RewardSettings, pay, tuned
from dgm_models.contracts import SEED_LIMIT, Noise
from dgm_models.data import SETS
from dgm_models.families import reinforce
from dgm_models.families.strings import Strings
from dgm_models.families.text import TextModel
from dgm_models.networks.transformer import CausalTransformer
from dgm_models.probability import log_chosen
from dgm_models.spaces import Tokens

LETTERS = Tokens(tuple("abc"), 24)


@pytest.fixture
def model(monkeypatch):
    """Draws each of three letters by chances of its own, whatever came before: all tokens look alike to it."""
    monkeypatch.setattr(reinforce, "LENGTH", 6)
    monkeypatch.setattr(reinforce, "RATE", 0.02)
    torch.manual_seed(0)
    made = TextModel(CausalTransformer(24, 4, width=16, depth=2, head=8, dropout=0.0), LETTERS).eval()
    torch.nn.init.normal_(made.network.head.weight, std=0.2)
    with torch.no_grad():
        made.network.token.weight.copy_(made.network.token.weight[:1].expand(4, -1))
    return made


def share_of_a(model) -> float:
    start, settings = torch.zeros(400, 1, dtype=torch.long), model.Settings(temperature=1.0, top_p=1.0)
    return float((torch.stack(list(model.continued(start, Noise(range(400)), 6, settings))) == 0).float().mean())


def learned(model, beta: float, steps: int = 60):
    policy, pays = reinforce.twin(model), torch.tensor([1.0, 0.0, 0.0, 0.0])
    game = reinforce.going_on(torch.tensor([0]), pays)
    reports = list(reinforce.tune(policy, model, game, beta=beta, steps=steps, seed=3))
    return policy, [report._replace(reward=report.reward / 6, distance=report.distance / 6) for report in reports]


def test_it_learns_what_pays_and_leaves_all_but_its_last_block_alone(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    policy, reports = learned(model, beta=0.0)
    assert reports[0].distance == pytest.approx(0, abs=1e-6)  # it begins as the model
    assert reports[-1].reward > 0.9 > 0.6 > reports[0].reward
    assert reports[-1].distance > 0.5
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    moved = {name for name, value in policy.state_dict().items() if not torch.equal(value, before[name])}
    assert moved
    assert all(name.startswith("network.blocks.1.") for name in moved)


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_with_a_price_on_distance_it_ends_in_proportion_to_the_reward(model, beta):
    """The maximum of E[r] - beta KL is p exp(r / beta) / Z: here of each letter for itself."""
    start = model.read_logits(torch.zeros(1, 6, dtype=torch.long))[0, 1:, :3].softmax(1).mean(0)
    wanted = start * torch.tensor([math.exp(1 / beta), 1.0, 1.0])
    policy, reports = learned(model, beta)
    assert share_of_a(policy) == pytest.approx(float(wanted[0] / wanted.sum()), abs=0.08)
    distance = sum(report.distance for report in reports[-20:]) / 20
    share = wanted / wanted.sum()
    assert distance == pytest.approx(float((share * (share / start).log()).sum()), abs=0.08)


@pytest.fixture
def strings(monkeypatch):
    """Strings of at most three of two letters: fifteen in all."""
    monkeypatch.setattr(reinforce, "RATE", 0.02)
    torch.manual_seed(0)
    space = Tokens(tuple("ab"), 3)
    made = Strings(CausalTransformer(3, 3, width=16, depth=2, head=8, dropout=0.0), space).eval()
    torch.nn.init.normal_(made.network.head.weight, std=0.2)
    return made


ALL = torch.cartesian_prod(*[torch.arange(3)] * 3)  # 2: the end, after which there is nothing else
ALL = ALL[((ALL[:, :-1] != 2) | (ALL[:, 1:] == 2)).all(1)]


def test_chances_of_strings_are_those_they_are_drawn_with(strings):
    chosen = log_chosen(strings.log_chances(ALL), ALL).sum(1)
    assert torch.allclose(chosen, strings.log_prob(ALL), atol=1e-5)
    assert strings.log_chances(ALL).requires_grad


@pytest.mark.parametrize("beta", [0.0, 0.4])
def test_a_policy_of_strings_ends_with_the_best_or_in_proportion_to_it(strings, beta):
    """The maximum of E[r] - beta KL is p exp(r / beta) / Z over whole strings; without a price it is the best string alone."""
    worth = torch.linspace(0, 1, len(ALL))[torch.randperm(len(ALL), generator=torch.Generator().manual_seed(0))]
    paid = lambda made: worth[(made[:, None] == ALL).all(2).int().argmax(1)]  # noqa: E731
    before = strings.log_prob(ALL).exp()
    assert before.sum() == pytest.approx(1, abs=1e-4)
    policy = reinforce.twin(strings)
    reports = list(reinforce.tune(policy, strings, reinforce.whole(paid), beta=beta, steps=150, seed=3))
    after = policy.log_prob(ALL).exp()
    if not beta:
        assert after[worth.argmax()] > 0.8 > before[worth.argmax()]
        assert reports[-1].reward > reports[0].reward
        return
    wanted = before * (worth / beta).exp()
    wanted = wanted / wanted.sum()
    off = lambda chances: float((wanted * (wanted / chances).log()).sum())  # noqa: E731
    assert off(after) < 0.2 * off(before)


def test_letters_are_paid_for_as_often_as_they_stand_in_a_token():
    space = SETS["tales"].space
    paid = pay(space, "no letter e")
    assert float(paid[space.alphabet.index("e")]) == -1
    assert float(paid[space.split("ee")].sum()) == -2
    assert float(paid[space.end]) == 0
    with pytest.raises(ValueError, match="Reward: expected one of no letter e"):
        pay(space, "money")


def test_a_gpt_is_tuned_here_and_now_step_by_step():
    lessons = list(tuned(next(iter(REWARDS)), 7, RewardSettings(steps=5)))
    assert [len(lesson.reports) for lesson in lessons] == [0, 1, 2, 3, 4, 5]
    assert [len(lesson.frames) for lesson in lessons] == [1, 1, 1, 1, 1, 2]
    assert [lesson.over for lesson in lessons] == [False] * 5 + [True]
    assert lessons[-1].reports[-1].distance > lessons[-1].reports[0].distance == pytest.approx(0, abs=1e-5)
    assert not torch.equal(lessons[-1].frames[0].x, lessons[-1].frames[1].x)


def test_the_largest_seed_is_a_seed_like_any_other():
    assert len(next(tuned("questions", SEED_LIMIT - 1, RewardSettings(steps=5))).frames[0].x) == 3


# words ----------------------------------------------------------------------------------------------------------------


def test_a_text_is_split_into_words_and_put_together_again():
    text = "KING HENRY:\nWhat say'st thou to him, good my lord?\nNo; not I."
    assert words.split("I'll go.\n") == ["I'll", "go", ".", "\n"]
    assert words.joined(words.split(text)) == text


@pytest.mark.parametrize("order", [1, 2, 3])
def test_what_follows_a_word_has_chances_that_sum_to_one(order):
    chances = words.following(order, words.numbers(words.split("What say you to")))
    assert chances.sum() == pytest.approx(1, abs=1e-9)
    assert chances.min() > 0
    (first, most), *_ = words.next_words(order, "What say you to")
    assert most == pytest.approx(chances.max())
    assert first == words.vocabulary()[chances.argmax()]


def test_of_two_words_it_is_the_last_that_counts_and_of_three_both():
    assert words.next_words(2, "I love to") == words.next_words(2, "thou canst to")
    assert words.next_words(3, "I love to") != words.next_words(3, "thou canst to")


def test_a_short_prompt_is_heard_whole():
    """Two words before it where there could be three: both count."""
    assert words.next_words(4, "love to") != words.next_words(4, "canst to")


def test_words_go_on_from_a_prompt_by_their_seed_without_those_that_came_once():
    said = words.continuation(3, "KING HENRY:\n", 5, 0.8)
    assert said == words.continuation(3, "KING HENRY:\n", 5, 0.8) != words.continuation(3, "KING HENRY:\n", 6, 0.8)
    assert len(said) >= words.LETTERS
    assert words.RARE not in said
    with pytest.raises(ValueError, match="Prompt: this model spells with"):
        words.continuation(2, "été", 5, 0.8)
