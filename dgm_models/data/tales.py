"""Three books (Alice's Adventures in Wonderland, The Adventures of Sherlock Holmes, Grimms' Fairy Tales; Project Gutenberg), which ship
with the project, in byte pairs (Sennrich et al., 2016). Models learn from the first nine tenths of each."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from torch import Tensor

from dgm_models.conditions import NOTHING
from dgm_models.data.dataset import ASSETS, Dataset
from dgm_models.data.text import STRIDE, parts, shipped, windows
from dgm_models.spaces import Tokens, word_splitter

BOOKS = {
    "alice": "19e40df12fe41dc7b506e00aae31901133d6597eed344da8f6b661e5fc20f2b9",
    "sherlock": "369b44ac9865a7dd3c06eb27212002653a7ae92422aaeb5f8b15fe9f429fbf8e",
    "grimm": "4bea0bef9d842f7ba5ac7d6311ed6713ce087031b79b4a1eb082f94b610ca9a0",
}
PAIRS = ASSETS / "data" / "tales-pairs.json"


def texts() -> list[tuple[str, str]]:
    """Of each book what models learn from, and the rest."""
    return [parts(joined(shipped(name, sha256))) for name, sha256 in BOOKS.items()]


def joined(text: str) -> str:
    """Each paragraph on a line of its own, verses too, and an empty line between two."""
    paragraphs = (" ".join(each.split()) for each in re.split(r"\n\s*\n", text))
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def learn_pairs(size: int = 1024) -> None:
    """Write PAIRS: merge the most frequent pair of tokens within words, again and again, until there are so many."""
    from tokenizers import Tokenizer, models, trainers

    learned = [text for text, _ in texts()]
    maker = Tokenizer(models.BPE())
    maker.pre_tokenizer = word_splitter()
    letters = sorted(set("".join(map("".join, texts()))))
    maker.train_from_iterator(learned, trainers.BpeTrainer(vocab_size=size, initial_alphabet=letters, show_progress=False))
    made = json.loads(maker.to_str())["model"]
    kept = {"alphabet": sorted(made["vocab"], key=made["vocab"].get), "merges": made["merges"]}
    PAIRS.write_text(json.dumps(kept, ensure_ascii=False) + "\n", encoding="utf-8")


@lru_cache(maxsize=1)
def space() -> Tokens:
    """The letters of the books, and the pairs that were merged one after another, most frequent first, in the parts to learn from."""
    kept = json.loads(PAIRS.read_text(encoding="utf-8"))
    return Tokens(tuple(kept["alphabet"]), 192, tuple(map(tuple, kept["merges"])))


def train() -> tuple[Tensor, Tensor]:
    """Windows of 192 tokens, 8 apart: int16 (n, 192), int64 (n,) of no conditions."""
    return windows([learned for learned, _ in texts()], space(), STRIDE)


@lru_cache(maxsize=1)
def test() -> tuple[Tensor, Tensor]:
    """The windows of the last tenths, one after the other."""
    return windows([rest for _, rest in texts()], space())


DATA = Dataset(
    "tales",
    "Three books of tales",
    "window",
    space(),
    NOTHING,
    judge="",
    hub="",
    licence="public domain (US)",
    source="L. Carroll, 1865; A. C. Doyle, 1892; J. and W. Grimm in the translation of E. Taylor and M. Edwardes; Project Gutenberg",
    train=train,
    test=test,
    shown=test,
)
