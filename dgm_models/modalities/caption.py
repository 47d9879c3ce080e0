"""Captions of two kinds of pictures, scenes and faces: what they say, in words and by attributes, and which words are known."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import torch
from torch import Tensor

from dgm_models.modalities import avatar, scene

KINDS = {"scene": scene, "face": avatar}
KIND = "kind"
ATTRIBUTES = {KIND: tuple(KINDS), **scene.ATTRIBUTES, **avatar.ATTRIBUTES}
NAMES = tuple(ATTRIBUTES)
OF = {  # of each kind, where its attributes stand among all of them
    kind: range(start, start + len(each.NAMES)) for (kind, each), start in zip(KINDS.items(), (1, 1 + len(scene.NAMES)), strict=True)
}
UNSAID = -1
GRAMMAR = {"a", "an", "digit", "shape", "on", "ground", "with", "face", "hair", "in", "shirt", "background"}
WORDS = tuple(sorted({word for choices in ATTRIBUTES.values() for choice in choices for word in choice.split()} - {"scene"} | GRAMMAR))
MOST_WORDS = 22
BLANK = len(WORDS)
EXAMPLES = 2_000  # captions that completions are counted in
_PLACE = {word: at for at, word in enumerate(WORDS)}


def caption(attributes: Tensor | list[int]) -> str:
    """What is said of a picture, (NAMES,), UNSAID among them where nothing is. Its kind must be."""
    row = attributes.tolist() if isinstance(attributes, Tensor) else attributes
    kind = tuple(KINDS)[row[0]]
    said = {NAMES[at]: ATTRIBUTES[NAMES[at]][row[at]] for at in OF[kind] if row[at] != UNSAID}
    return KINDS[kind].caption(said)


def is_held_out(y: Tensor) -> Tensor:
    """Whether a combination is held out from text to image, of attributes (n, NAMES), bool (n,): of a scene the digit in a
    colour, or the shape in a colour; of a face the hair in a colour with glasses or with sunglasses."""
    of = lambda name: y[:, NAMES.index(name)]  # noqa: E731
    digit = (of("digit") - of("colour")) % len(scene.DIGITS) == 3
    shape = (of("shape colour") - of("shape")) % len(scene.PAINT) == 4
    hair, glasses = of("hair colour"), of("glasses")
    red, blue = (avatar.ATTRIBUTES["hair colour"].index(each) for each in ("red", "blue"))
    face = ((hair == red) & (glasses == 2)) | ((hair == blue) & (glasses == 1))
    said = lambda *names: torch.stack([of(name) != UNSAID for name in names]).all(0)  # noqa: E731
    return (digit & said("digit", "colour")) | (shape & said("shape", "shape colour")) | face


def split(text: str) -> tuple[list[str], list[str]]:
    """The words of a caption that are known, in their order, and those that are not; upper and lower case are one, numerals are words."""
    found = [scene.DIGITS[int(word)] if len(word) == 1 and word.isdecimal() else word for word in re.findall(r"[^\W_]+", text.lower())]
    return [word for word in found if word in _PLACE], [word for word in found if word not in _PLACE]


def read(texts: list[str]) -> Tensor:
    """Captions as the numbers of their words, int64 (n, MOST_WORDS), BLANK where no more follow. Unknown words are left out, which whoever
    shows a caption must say. ValueError for a caption of too many words, or of none that is known."""
    rows = []
    for text in texts:
        words = split(text)[0]
        if not 1 <= len(words) <= MOST_WORDS:
            raise ValueError(f"Caption: expected 1 to {MOST_WORDS} words that the model knows, got {len(words)}")
        rows.append([_PLACE[word] for word in words] + [BLANK] * (MOST_WORDS - len(words)))
    return torch.tensor(rows)


def understood(text: str) -> Tensor:
    """What a caption says, (NAMES,), UNSAID where it says nothing; words in another order than `caption` has them are taken for what they
    stand beside. ValueError for one without a word that is known."""
    words = split(text)[0]
    if not words:
        raise ValueError("Caption: expected at least one word that the model knows")
    kind = "face" if _OF_FACES & set(words) else "scene"
    said = {KIND: kind, **(_of_face if kind == "face" else _of_scene)(words)}
    return torch.tensor([ATTRIBUTES[name].index(said[name]) if name in said else UNSAID for name in NAMES])


PAIRED = (("size", "shape size"), ("colour", "shape colour"), ("hair colour", "shirt"))  # whose words can change places


def trade(rows: Tensor, pair: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """What is said of pictures, (n, NAMES), with the words of two attributes in each other's place, and where that can be, bool (n,): both
    are said, they differ, and either word can be said of the other."""
    at, words = [NAMES.index(name) for name in pair], [ATTRIBUTES[name] for name in pair]
    there, back = (torch.tensor([to.index(word) if word in to else UNSAID for word in of]) for of, to in (words, words[::-1]))
    one, other = rows[:, at[0]], rows[:, at[1]]
    fits = (one != UNSAID) & (other != UNSAID)
    there, back = there[one.clamp_min(0)], back[other.clamp_min(0)]
    fits &= (there != UNSAID) & (back != UNSAID) & (there != other)
    traded = rows.clone()
    traded[:, at] = torch.stack([back, there], 1)
    return torch.where(fits[:, None], traded, rows), fits


def exchanged(row: Tensor) -> Tensor:
    """What is said of a picture, (NAMES,), with the words of all PAIRED in each other's place. ValueError where that changes nothing."""
    other = row[None]
    for pair in PAIRED:
        other = trade(other, pair)[0]
    if torch.equal(other[0], row):
        raise ValueError('Caption: expected two colours or two sizes that can change places, such as "a red seven above a blue circle"')
    return other[0]


@cache
def follows() -> dict[str, list[str]]:
    """Of each word those that captions have after it, the most frequent first, and of "" those that they begin with."""
    stream, found = torch.Generator().manual_seed(0), {"": Counter(), **{word: Counter() for word in WORDS}}
    for i in range(EXAMPLES):
        row = [UNSAID] * len(NAMES)
        row[0] = i % len(KINDS)
        for at in OF[tuple(KINDS)[row[0]]]:
            if torch.rand((), generator=stream) < 0.8:
                row[at] = int(torch.randint(0, len(ATTRIBUTES[NAMES[at]]), (), generator=stream))
        words = split(caption(row))[0]
        for one, other in zip(["", *words], words, strict=False):
            found[one][other] += 1
    return {one: [other for other, _ in sorted(each.items(), key=lambda pair: (-pair[1], pair[0]))] for one, each in found.items()}


_OF_FACES = {"face", "hair", "shirt", "background", "glasses", "sunglasses", "hat", "beard", *avatar.ATTRIBUTES["mood"]}


def _of_scene(words: list[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    text = " ".join(words)
    if ground := re.search(rf"\b({'|'.join(scene.GROUNDS)}) ground\b", text):
        said["ground"] = ground[1]
    text = re.sub(r"\b(on )?(a |an )?(\w+ )?ground\b", "", text)  # nothing else is coloured by it
    found = re.search(rf"\b({'|'.join(scene.PLACES)}|with)\b", text)
    one, other = (text, "") if found is None else (text[: found.start()], text[found.end() :])
    first_is_shape = bool(re.search(_SHAPES, one)) and not re.search(_DIGITS, one)
    digit, shape = (other, one) if first_is_shape else (one, other)
    if found and found[1] != "with":
        said["place"] = _OPPOSITE[found[1]] if first_is_shape else found[1]
    if lean := re.search(rf"\b({'|'.join(scene.SLANTS)})\b", digit):
        said["lean"] = lean[1]
    for part, names in ((digit, ("digit", "colour", "size")), (shape, ("shape", "shape colour", "shape size"))):
        for name in names:
            if each := re.search(rf"\b({'|'.join(ATTRIBUTES[name])})\b", part):
                said[name] = each[1]
    return said


_DIGITS, _SHAPES = (rf"\b({'|'.join((*names, noun))})\b" for names, noun in ((scene.DIGITS, "digit"), (tuple(scene.CORNERS), "shape")))
_OPPOSITE = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}


def _of_face(words: list[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    text = " ".join(words)
    for name, after in (("hair colour", " hair"), ("shirt", " shirt"), ("background", " background"), ("mood", ""), ("hair", "")):
        if each := re.search(rf"\b({'|'.join(ATTRIBUTES[name])}){after}\b", text):
            said[name] = each[1]
    for name in ("glasses", "hat", "beard"):
        if each := re.search(rf"\b(no )?({name}|sunglasses)\b" if name == "glasses" else rf"\b(no )?{name}\b", text):
            choices = ATTRIBUTES[name]
            said[name] = choices[0] if each[1] else each[2] if name == "glasses" else choices[1]
    return said
