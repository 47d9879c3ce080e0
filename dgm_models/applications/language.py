"""Questions to models of texts: go on from a prompt, with words that must come; what each token was drawn from; what a text costs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import SEED_LIMIT, Noise, check_seed
from dgm_models.data import SETS, shakespeare
from dgm_models.families.ngram import NGram
from dgm_models.families.text import Reading, TextModel, TextSettings
from dgm_models.networks.ngram import KneserNey
from dgm_models.networks.transformer import CausalTransformer
from dgm_models.probability import draw, sharpen
from dgm_models.spaces import Tokens
from dgm_models.turns import pause

MOST_PROMPT, MOST_LENGTH, MOST_WORDS = 4000, 1200, 6  # letters, tokens, words
DRAFTS, PLACES, LEAST = 8, 32, 6  # drafts that a word looks for its place in; places looked at closely; tokens before a word
MOST_HEARD = 80  # tokens whose attention is shown
TOP = 8  # tokens shown of a distribution
GPT, COUNTED = "gpt-shakespeare", "ngram-shakespeare"  # which the page begins with
WAYS = ("where they fit best", "at random")
GIVEN, MADE, ASKED = "gma"
SENTENCE = re.compile(r"[.!?][\"')\]]*\s*$")
KNOWN, STRANGER = "MENENIUS", "ROMEO"  # names of the plays
SCENE = "{first}:\nMy lord, I have a letter for the king.\n\nKING HENRY:\nGive me the letter, and be gone.\n\n{last}"
PATIENCE = 120  # tokens more, until a sentence ends


@dataclass(frozen=True)
class Written:
    """A text so far: its tokens, and of each whether it was given, made, or part of a word that was asked for. `numbers`: of all tokens
    that the model saw, those not shown before them among them."""

    tokens: list[str]
    kinds: str
    numbers: list[int]
    receipt: Receipt
    over: bool = False

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def models(hears: bool = False, of_letters: bool = False) -> dict[str, str]:
    """What people call the trained models of texts -> their ids; of those alone that have attention, or that spell letter by letter."""
    ids = [id for data in SETS for id in catalog.models_for("sample", data=data) if issubclass(catalog.family(id), TextModel)]
    if hears:
        ids = [id for id in ids if catalog.recipe(id).network.endswith(CausalTransformer.__name__)]
    if of_letters:
        ids = [id for id in ids if not catalog.dataset(id).space.merges]
    return {f"{catalog.recipe(id).title}, {catalog.dataset(id).title}": id for id in ids}


def prompt_tokens(space: Tokens, prompt: str, label: str = "Prompt") -> list[int]:
    """ValueError, with a sentence, for what is too long or cannot be spelt."""
    if not isinstance(prompt, str):
        raise ValueError(f"{label}: expected a text, got {type(prompt).__name__}")
    prompt = prompt.replace("\r\n", "\n")
    if len(prompt) > MOST_PROMPT:
        raise ValueError(f"{label}: expected at most {MOST_PROMPT:,} letters, got {len(prompt):,}")
    return _split(space, prompt, label)


def _split(space: Tokens, text: str, label: str) -> list[int]:
    try:
        return space.split(text)
    except ValueError:
        strange = sorted(set(text) - set(space.letters))
        named = ", ".join(letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in strange[:8])
        raise ValueError(f"{label}: this model spells with {''.join(space.letters).strip()}, and knows no {named}") from None


def asked_words(space: Tokens, words: str) -> list[str]:
    """What stands between commas, each a word or a few. ValueError for too many, or for what cannot be spelt."""
    found = [" ".join(part.split()) for part in str(words).split(",") if part.strip()]
    if len(found) > MOST_WORDS:
        raise ValueError(f"Words: expected at most {MOST_WORDS}, between commas, got {len(found)}")
    for word in found:
        _split(space, word, "Words")
        if not re.fullmatch(r"[^\W_].*[^\W_]|[^\W_]", word):
            raise ValueError(f"Words: expected words that begin and end with a letter, got {word[:40]!r}")
    return found


def write(
    id: str,
    prompt: str,
    count: int,
    seed: int,
    settings: TextSettings | None = None,
    words: Sequence[str] = (),
    way: str = WAYS[0],
    afresh: bool = False,
    whole: bool = False,
    every: int = 16,
) -> Iterator[Written]:
    """A prompt and `count` tokens more, as they are drawn; with the words in the order in which they were asked for, each in the draft and
    at the place where the model finds it likeliest ("where they fit best"), or anywhere.

    afresh: the model sees an empty line before the prompt, as before a speech or a paragraph. whole: it goes on to the end of a sentence.
    """
    loaded = catalog.open_for("sample", id)
    model = loaded.model
    space, settings, noise = model.space, settings or TextSettings(), Noise([check_seed(seed)])
    given = prompt_tokens(space, prompt)
    before = space.split("\n\n") if afresh else []
    tokens, kinds, hidden = [*before, *given], GIVEN * len(given), len(before)
    with measured(loaded, catalog.recipe(id).title, seed, 1) as receipt:

        def so_far(over: bool = False) -> Written:
            return Written([space.alphabet[at] for at in tokens[hidden:]], kinds, list(tokens), receipt, over)

        left, apart = count, False
        for number, word in enumerate(words):
            room = max(LEAST + 2, left // (len(words) - number + 1))
            drafts = _drafts(model, tokens, room, Noise([(noise.seeds[0] + 1 + number) % SEED_LIMIT]), settings, apart)
            free, piece = _placed(model, tokens, drafts, word, way, noise)
            tokens, kinds = [*tokens, *free, *piece], kinds + MADE * len(free) + ASKED * len(piece)
            left, apart = left - len(free) - len(piece), True
            yield so_far()
        reading, last = model.opened(torch.tensor([tokens], dtype=torch.long)), -PATIENCE if whole else 0
        while left > 0 or (left > last and not SENTENCE.search(so_far().text)):
            chances = sharpen(_logits(model, reading, apart), settings.temperature, settings.top_p)
            token = draw(chances, noise.uniform(1)[:, 0])
            tokens, kinds, left, apart = [*tokens, int(token)], kinds + MADE, left - 1, False
            reading = model.follow(reading, token)
            if left % every == 0:
                pause()
                yield so_far()
        yield so_far(over=True)


def _logits(model: TextModel, reading: Reading, apart: bool) -> Tensor:
    """Of the next token; `apart`: a word has just ended, so no letter may follow."""
    logits = model.next_logits(reading)
    return logits.index_fill(1, _joining(model.space), -torch.inf) if apart else logits


@lru_cache(maxsize=8)
def _joining(space: Tokens) -> Tensor:
    """The tokens that would go on with a word."""
    return torch.tensor([at for at, token in enumerate(space.alphabet) if re.match(r"[\w'’-]", token)])


# words that must come -------------------------------------------------------------------------------------------------


def _drafts(model: TextModel, tokens: list[int], room: int, noise: Noise, settings: TextSettings, apart: bool) -> Tensor:
    """DRAFTS ways to go on for so many tokens, (DRAFTS, room)."""
    chance = noise.uniform(room * DRAFTS).view(DRAFTS, room)
    reading, drawn = model.opened(torch.tensor([tokens] * DRAFTS, dtype=torch.long)), []
    for i in range(room):
        drawn.append(draw(sharpen(_logits(model, reading, apart and i == 0), settings.temperature, settings.top_p), chance[:, i]))
        reading = model.follow(reading, drawn[-1])
        pause()
    return torch.stack(drawn, 1)


def _placed(model: TextModel, tokens: list[int], drafts: Tensor, word: str, way: str, noise: Noise) -> tuple[list[int], list[int]]:
    """What comes before a word, and the word: at the place where its tokens, and the end of a word after them, are likeliest; of all
    places those are looked at closely where its first token is. Otherwise at a place of the first draft, drawn evenly."""
    space = model.space
    piece = space.split(f" {word}" if space.merges else word)
    places = [(row, at) for row, draft in enumerate(drafts.tolist()) for at in range(LEAST, drafts.shape[1] + 1) if _fits(space, draft, at)]
    mine = [place for place in places if place[0] == 0] or places
    if not places:  # a text without a blank
        return [*drafts[0].tolist(), *space.split(" ")], space.split(word)
    if way == WAYS[1]:
        row, at = mine[int(noise.choose(torch.ones(len(mine))))]
        return drafts[row, :at].tolist(), piece
    start = torch.tensor([tokens] * len(drafts), dtype=torch.long)
    seen = torch.cat([start, drafts, drafts[:, :1]], 1)[:, model.begins(len(tokens)) :]
    logits = model.read_logits(seen)[:, len(tokens) - model.begins(len(tokens)) :].log_softmax(2)
    places.sort(key=lambda place: -float(logits[place[0], place[1], piece[0]]))
    row, at = places[int(_fit(model, [[*tokens, *drafts[row, :at].tolist()] for row, at in places[:PLACES]], piece).argmax())]
    return drafts[row, :at].tolist(), piece


def _fits(space: Tokens, draft: list[int], at: int) -> bool:
    """Whether a word may begin after so many tokens of a draft: after a blank, or where words bring their own blank, after a word."""
    before = space.alphabet[draft[at - 1]]
    if not space.merges:
        return before in " \n"
    after = space.alphabet[draft[at]] if at < len(draft) else " "
    return before[-1:].isalpha() and not re.match(r"[\w'’-]", after)


@torch.no_grad()
def _fit(model: TextModel, before: list[list[int]], piece: list[int]) -> Tensor:
    """log p of a word after each of some texts, and of its ending there, (n,)."""
    levels = torch.full((len(before), model.space.length), model.space.end)
    where = torch.empty(len(before), len(piece) + 1, dtype=torch.long)
    for row, text in enumerate(before):
        some = torch.tensor([*text, *piece][-model.sees :])
        levels[row, : len(some)] = some
        where[row] = torch.arange(len(some) - len(piece), len(some) + 1)
    logits = model.network(levels, model.condition.null(len(before)), where).float()
    logits = logits.index_fill(2, torch.tensor([model.space.end]), -torch.inf).log_softmax(2)
    ends = torch.ones(logits.shape[2], dtype=torch.bool).index_fill(0, _joining(model.space), False)
    spelt = logits[:, :-1].gather(2, torch.tensor([piece]).expand(len(before), -1)[..., None])[..., 0]
    return spelt.sum(1) + logits[:, -1, ends].logsumexp(1)


# what was drawn from what ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choices:
    """Of each token of a text: the likeliest tokens in its place with their chances before and after temperature and top-p, (k, TOP) each,
    the text's own token among them; and what that cost, in nats (k,)."""

    tokens: list[list[str]]
    before: Tensor
    after: Tensor
    nats: Tensor


def choices(id: str, said: Written, settings: TextSettings | None = None) -> Choices:
    """Of a text that a model wrote, with the tokens that it drew: a reader might cut the same text into others."""
    model, shown = catalog.open_for("sample", id).model, len(said.tokens)
    settings, tokens = settings or TextSettings(), torch.tensor([said.numbers], dtype=torch.long)
    logits = model.read_logits(tokens)[0, len(said.numbers) - shown :]
    tokens = tokens[:, len(said.numbers) - shown :]
    before, after = logits.softmax(1), sharpen(logits, settings.temperature, settings.top_p)
    chosen = before.scatter(1, tokens.T, 2.0).topk(TOP).indices  # the text's own comes first
    chosen = torch.gather(chosen, 1, before.gather(1, chosen).sort(dim=1, descending=True, stable=True).indices)
    names = [[model.space.alphabet[at] for at in row] for row in chosen.tolist()]
    return Choices(names, before.gather(1, chosen), after.gather(1, chosen), -before.gather(1, tokens.T)[:, 0].log())


def spelt(id: str, text: str) -> list[str]:
    """A text as the tokens of a model."""
    space = catalog.dataset(id).space
    return [space.alphabet[at] for at in prompt_tokens(space, text, "Text")]


def surprise(id: str, text: str) -> Tensor:
    """-log p of each token of a text, in nats, (k,)."""
    model = catalog.open_for("log_prob", id).model
    return model.surprise(torch.tensor([prompt_tokens(model.space, text, "Text")], dtype=torch.long))[0]


@dataclass(frozen=True)
class Recalled:
    """A name where a scene ends with it: the scene's tokens, and what each cost, in nats; where the scene began with that name, and where
    with another one of the plays."""

    met: tuple[list[str], Tensor]
    new: tuple[list[str], Tensor]
    length: int

    def cost(self, met: bool) -> float:
        """Of the name at the end, in nats."""
        return float((self.met if met else self.new)[1][-self.length :].sum())


def recalled(id: str, name: str) -> Recalled:
    """Whether a model learns a name from its prompt. ValueError unless it is of 2 to 12 letters that the model knows."""
    name = str(name).strip().upper()
    if not re.fullmatch(r"[A-Z]{2,12}", name):
        raise ValueError(f"Name: expected 2 to 12 letters from A to Z, got {name[:40]!r}")
    texts = [SCENE.format(first=first, last=name) for first in (name, STRANGER)]
    met, new = ((spelt(id, text), surprise(id, text)) for text in texts)
    return Recalled(met, new, len(name))


def attention(id: str, text: str) -> tuple[list[str], Tensor]:
    """The tokens of a short text, and what each head of each block listens to when it foretells them: (blocks, heads, k, k), where the
    first key is the start of the text. ValueError for a model that has no attention, and for too long a text."""
    model = catalog.open_for("sample", id).model
    if not isinstance(model.network, CausalTransformer):
        raise ValueError(f"Model: {id} counts, and has no attention")
    tokens = prompt_tokens(model.space, text, "Text")
    if not 2 <= len(tokens) <= MOST_HEARD:
        raise ValueError(f"Text: expected 2 to {MOST_HEARD} tokens, got {len(tokens)}")
    with torch.no_grad():
        heard = model.network.attention(torch.tensor([tokens]), model.condition.null(1))[0]
    return [model.space.alphabet[at] for at in tokens], heard


# how much a model sees ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def counted(order: int) -> NGram:
    """An n-gram of Shakespeare's letters, of an order from 1 to 8."""
    kept = catalog.open_model(COUNTED).model.network.tokens
    made = NGram(KneserNey(shakespeare.SPACE.length, shakespeare.SPACE.end + 1, len(kept), order), shakespeare.SPACE)
    made.network.tokens.copy_(kept)
    return made.eval()


def continuation(model: TextModel, prompt: str, count: int, seed: int, settings: TextSettings) -> str:
    """What a model adds to a prompt."""
    tokens = torch.tensor([prompt_tokens(model.space, prompt)], dtype=torch.long)
    drawn = [int(token) for token in model.continued(tokens, Noise([check_seed(seed)]), count, settings)]
    return "".join(model.space.alphabet[at] for at in drawn)
