"""Texts through the house: an autoregressive model of tokens that end, its probabilities, its samples, its gaps."""

from __future__ import annotations

import itertools

import pytest
import torch

from dgm_models.contracts import Noise, last
from dgm_models.families.autoregressive import Autoregressive
from dgm_models.families.diffusion import Diffusion
from dgm_models.families.text import TextModel
from dgm_models.measurements import Hide
from dgm_models.modalities import elements
from dgm_models.networks.raster import Causal, CoordinateNet
from dgm_models.networks.transformer import CausalTransformer
from dgm_models.networks.velocity import VelocityMLP
from dgm_models.probability import draw, log_chosen, sharpen
from dgm_models.spaces import Tokens
from dgm_models.training.step import Trainer

SPACE = Tokens("ab", 4)
WORDS = ["ab", "abab", "ba", "baba"]
EVERY = ["".join(letters) for length in range(5) for letters in itertools.product("ab", repeat=length)]


def coordinates() -> CoordinateNet:
    return CoordinateNet(4, 3, width=32)


def transformer() -> CausalTransformer:
    return CausalTransformer(4, 3, width=32, depth=2, head=16, dropout=0.0)


def untrained(length: int, levels: int) -> CausalTransformer:
    """All of whose parameters matter: fresh ones leave out what blocks add."""
    torch.manual_seed(1)
    made = CausalTransformer(length, levels, width=32, depth=2, head=16).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


@pytest.fixture(scope="module", params=[coordinates, transformer])
def model(request):
    torch.manual_seed(0)
    made = Autoregressive(request.param(), SPACE)
    x = elements.read(SPACE, WORDS).repeat(100, 1)
    trainer = Trainer(made, x, torch.zeros(len(x), dtype=torch.long) - 1, steps=250, batch=64, rate=5e-3, ema=0.98)
    for _ in range(250):
        trainer.step()
    return trainer.average.eval().requires_grad_(False)


def test_texts_come_back_letter_by_letter():
    x = elements.read(SPACE, EVERY)
    assert elements.write(SPACE, SPACE.check(x)) == EVERY
    for bad, said in (("abc", "expected letters of ab, got 'c'"), ("ababa", "at most 4 tokens, got 5"), (7, "expected a text, got int")):
        with pytest.raises(ValueError, match=said):
            elements.read(SPACE, bad)
    for bad, said in (([0, 2, 0, 2], "nothing but the end after the end"), ([0, 3, 2, 2], "whole numbers from 0 to 2")):
        with pytest.raises(ValueError, match=said):
            SPACE.check(torch.tensor([bad]))


def test_the_probabilities_of_all_texts_sum_to_one_and_those_it_learned_from_have_nearly_all(model):
    chance = model.log_prob(elements.read(SPACE, EVERY)).exp()
    assert chance.sum().item() == pytest.approx(1, abs=1e-4)
    known = model.log_prob(elements.read(SPACE, WORDS)).exp()
    assert known.sum() > 0.9
    assert known.min() > 0.1


def test_what_is_drawn_ends_and_is_the_same_alone(model):
    drawn = model.sample(Noise(range(200)), None, model.Settings(temperature=1.0))
    texts = elements.write(SPACE, drawn)
    assert set(WORDS) <= set(texts)
    assert sum(text in WORDS for text in texts) > 170
    assert torch.equal(model.sample(Noise([7]), None, model.Settings(temperature=1.0)), drawn[7:8])
    first = next(model.trace(Noise([7])))
    assert elements.write(SPACE, first.x) == [""]


def test_a_gap_is_filled_and_what_was_seen_stays(model):
    x = elements.read(SPACE, ["abab", "baba"])
    away = Hide(torch.tensor([False, True, True, True]))
    answer = last(model.restore(away(x), away, Noise([1, 2]), settings=model.Restoring(particles=16))).x
    assert torch.equal(away(answer), away(x))
    assert elements.write(SPACE, answer) == ["abab", "baba"]


def test_a_transformer_hears_nothing_of_what_is_to_come_and_its_cache_says_the_same():
    network = untrained(9, 5)
    levels, y = torch.randint(0, 5, (3, 9)), torch.zeros(3, dtype=torch.long)
    told: list[torch.Tensor] = []
    watch = network.token.register_forward_hook(lambda _, __, out: told.append(out.requires_grad_()) or out)
    whole = network(levels, y)
    watch.remove()
    for i in range(9):
        (slope,) = torch.autograd.grad(whole[:, i].sum(), told[0], retain_graph=True, allow_unused=True)
        heard = torch.zeros(8) if slope is None else slope.abs().sum((0, 2))
        assert (heard[i:] == 0).all()
        assert (heard[:i] > 0).all()
    prefix, said = network.begin(y), []
    with torch.no_grad():
        for i in range(9):
            said.append(network.predict(prefix))
            network.append(prefix, levels[:, i])
    assert torch.allclose(torch.stack(said, 1), whole, atol=1e-4)
    at = torch.tensor([[3], [0], [8]])
    assert torch.allclose(network(levels, y, at)[:, 0], whole[torch.arange(3), at[:, 0]], atol=1e-5)


def test_a_family_of_noise_refuses_tokens():
    with pytest.raises(ValueError, match="tokens are no numbers that noise could be added to"):
        Diffusion(VelocityMLP(4), SPACE).loss(elements.read(SPACE, WORDS))


def test_what_is_read_at_once_is_as_what_was_read_token_by_token():
    network = untrained(9, 5)
    levels, y = torch.randint(0, 5, (3, 7)), torch.zeros(3, dtype=torch.long)
    slow, fast = network.begin(y), network.begin(y)
    with torch.no_grad():
        Causal.read(network, slow, levels)
        network.read(fast, levels)
        assert torch.allclose(network.predict(slow), network.predict(fast), atol=1e-4)
        heard = network.attention(levels, y)
    assert heard.shape == (3, 2, 2, 7, 7)
    assert torch.allclose(heard.sum(-1), torch.ones(3, 2, 2, 7), atol=1e-5)
    assert (heard.triu(1) == 0).all()


def long_text_model() -> TextModel:
    return TextModel(untrained(8, 3), Tokens("ab", 8)).eval().requires_grad_(False)


def test_a_text_goes_on_for_longer_than_the_network_sees_and_each_token_is_drawn_given_those_before_it():
    made, prompt = long_text_model(), torch.tensor([[0, 1, 1]])
    drawn = torch.stack(list(made.continued(prompt, Noise([5]), 20)), 1)
    assert drawn.shape == (1, 20)
    assert drawn.max() <= 1, "a text that goes on does not end"
    assert torch.equal(torch.stack(list(made.continued(prompt.repeat(3, 1), Noise([9, 5, 1]), 20)), 1)[1:2], drawn)
    whole, chance = torch.cat([prompt, drawn], 1), Noise([5]).uniform(20)
    read = made.read_logits(whole)
    for i in range(20):  # without a cache: what the network sees is read anew each time
        at = 3 + i
        start, levels = made.begins(at), torch.zeros(1, 8, dtype=torch.long)
        assert at - start <= made.sees
        assert start == 0 or at - start >= made.sees // 2
        levels[:, : at - start] = whole[:, start:at]
        logits = made.network(levels, torch.zeros(1, dtype=torch.long), torch.tensor([[at - start]]))[:, 0]
        logits[:, 2] = -torch.inf
        assert torch.allclose(read[:, at], logits, atol=1e-4), "what is read has the chances of what is drawn"
        assert draw(sharpen(logits, 0.8, 0.95), chance[:, i]) == whole[0, at]


def test_the_surprise_of_a_short_text_adds_up_to_its_probability():
    made = long_text_model()
    text = torch.tensor([[0, 1, 1, 0, 1, 0, 0, 1]])
    logits = made.network(text, torch.zeros(1, dtype=torch.long))
    logits[..., 2] = -torch.inf
    assert made.surprise(text).sum() == pytest.approx(-log_chosen(logits, text).sum().item(), rel=1e-4)
    assert torch.isfinite(made.surprise(text.repeat(2, 5))).all()
    assert made.surprise(text[:, :0]).shape == (1, 0)
