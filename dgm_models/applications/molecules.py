"""Molecules on demand: draw strings, count what of them is a molecule, new, and as it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import MOST, seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import SEED_LIMIT, Frame, Noise, Settings
from dgm_models.data import SETS, qm9
from dgm_models.families.strings import Strings, StringSettings
from dgm_models.measurements import Hide
from dgm_models.modalities import graph
from dgm_models.modalities.molecule import Facts, canonical, facts, fault, properties, solid, strings
from dgm_models.spaces import Graphs, Smiles

GPT, VAE = "gpt-qm9", "vae-qm9"
KNOWS = "molecules of at most nine atoms of C, N, O and F, without charges"  # of QM9, as graphs and as SELFIES
END = "∎"
DRAFTS, PLACES, ROUNDS, LONGEST_PIECE = 4, 48, 3, 12  # of strings with a piece
DRAFT_STEP = 100_003  # seeds from one draft to the next
RADIUS, BITS = 2, 2048  # of the circular fingerprints by which molecules are compared


@dataclass(frozen=True)
class Drawn:
    """Of a model the film of some molecules, the SMILES string of each, what was asked for, a number a property, or nothing, and the piece
    that must be in them."""

    id: str
    frames: list[Frame]
    smiles: list[str]
    asked: tuple[float, ...] | None
    receipt: Receipt
    piece: str = ""

    @property
    def kept(self) -> int:
        """How many hold the piece."""
        return sum(holds(text, self.piece) for text in self.smiles)


def drawn(id: str, count: int, seed: int, settings: Settings, asked: Sequence[float] | None = None) -> Drawn:
    """Draw so many molecules, all with the same wish if there is one, a number for each that the model takes. ValueError for one out of
    range."""
    if not 1 <= count <= MOST:
        raise ValueError(f"How many: expected 1 to {MOST} molecules, got {count}")
    loaded, noise = catalog.open_for("sample", id), Noise(seeds_from(seed, count))
    y = None if asked is None else torch.tensor([list(asked)] * count)
    with measured(loaded, catalog.recipe(id).title, seed, count) as receipt:
        frames = list(loaded.model.trace(noise, y, settings))
    return Drawn(id, frames, catalog.write(id, frames[-1].x), None if asked is None else tuple(asked), receipt)


def models() -> dict[str, str]:
    """What people call the trained models of molecules -> their ids."""
    known = {data: SETS[data].title for data in catalog.data_sets() if isinstance(SETS[data].space, Smiles)}
    return {f"{catalog.recipe(id).title}, {title}": id for data, title in known.items() for id in catalog.models_for("sample", data=data)}


def spellers() -> dict[str, str]:
    """Those of them that write a string letter by letter, so that each letter has a cost, and that go on from a piece; who spells the
    longest strings comes first."""
    known = [(title, id) for title, id in models().items() if id in catalog.models_for("restore", Hide, catalog.dataset(id).id)]
    return dict(sorted(known, key=lambda each: -catalog.dataset(each[1]).space.length))


def heeded(count: int, seed: int) -> tuple[Tensor, Tensor, list[str]]:
    """Molecules drawn with the properties of held-out ones as their wish: what was asked for and what was measured of those that are
    molecules, each (k, 3), and their strings."""
    loaded, noise = catalog.open_for("sample", GPT), Noise(seeds_from(seed, count))
    wish = qm9.DATA.shown()[1]
    wish = wish[noise.choose(torch.ones(len(wish)))]
    with measured(loaded, catalog.recipe(GPT).title, seed, count):
        made = catalog.write(GPT, loaded.model.sample(noise, wish, StringSettings()))
    there = [at for at, text in enumerate(made) if canonical(text)]
    return wish[there], torch.tensor([properties(made[at]) for at in there]).view(-1, wish.shape[1]), [made[at] for at in there]


def between(one: str, other: str, steps: int) -> Drawn:
    """What lies on the straight way between the codes of two valid strings, both ends among them; one is what it decodes to. ValueError for
    what the model cannot spell."""
    loaded = catalog.open_for("encode", VAE)
    ends = []
    for name, text in (("First molecule", one), ("Second molecule", other)):
        try:
            ends.append(catalog.read(VAE, text))
        except ValueError as error:
            raise ValueError(f"{name}: this model knows {KNOWS}, got {text[:40]}") from error
    with measured(loaded, catalog.recipe(VAE).title, 0, steps) as receipt:
        first, last = loaded.model.encode(torch.cat(ends))
        x = loaded.model.decode(torch.stack([torch.lerp(first, last, i / (steps - 1)) for i in range(steps)]))
    return Drawn(VAE, [Frame(x, f"{steps} codes, evenly apart")], catalog.write(VAE, x), None, receipt)


# a piece that must be in it -------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def with_piece(id: str, count: int, seed: int, settings: StringSettings, piece: str, asked: tuple[float, ...] | None = None) -> Drawn:
    """Draw so many strings that hold a piece, a valid string itself, letter by letter.

    Of DRAFTS strings that the model draws freely, PLACES at most, drawn by lot, are weighed by how likely the piece is there, and one is
    drawn by these weights (sampling importance resampling: Rubin, 1988); from behind the piece on the model goes on. Where what comes out
    does not hold the piece as RDKit reads it, a digit of it having closed another ring say, that string is drawn anew, ROUNDS times at
    most. Behind the piece only the temperature counts, neither top-p nor guidance. ValueError for a piece that cannot be spelt or has no
    room.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"How many: expected 1 to {MOST} molecules, got {count}")
    loaded = catalog.open_for("restore", id)
    model, letters = loaded.model, _piece(loaded.model.space, piece)
    y = None if asked is None else torch.tensor([list(asked)] * count)
    left, x = torch.arange(count), torch.full((count, model.space.length), model.space.end)
    with measured(loaded, catalog.recipe(id).title, seed, count) as receipt:
        for round in range(ROUNDS):
            seeds = seeds_from((seed + MOST * round) % SEED_LIMIT, count)
            noise = Noise([seeds[at] for at in left.tolist()])
            wish = None if y is None else y[left]
            begun, known = _begun(model, letters, noise, wish, settings)
            *_, last = model.restore(begun, Hide(known), noise, wish, model.Restoring(temperature=settings.temperature))
            x[left] = last.x
            left = torch.tensor([at for at in left.tolist() if not holds(catalog.write(id, x[at : at + 1])[0], piece)], dtype=torch.long)
            if not len(left):
                break
    return Drawn(id, _letter_by_letter(x, model.space), catalog.write(id, x), None if asked is None else tuple(asked), receipt, piece)


def holds(smiles: str, piece: str) -> bool:
    """Whether a string is a molecule that a piece is part of."""
    from rdkit import Chem

    return bool(canonical(smiles)) and Chem.MolFromSmiles(smiles).HasSubstructMatch(Chem.MolFromSmiles(piece))


def _piece(space: Smiles, piece: str) -> Tensor:
    """Its letters, (k,)."""
    try:
        letters = space.split(piece)
    except ValueError as error:
        raise ValueError(f"Must be in it: this model spells with {''.join(space.alphabet)}, got {piece[:40]!r}") from error
    if len(letters) > LONGEST_PIECE or not canonical(piece):
        said = f"{len(letters)} letters" if len(letters) > LONGEST_PIECE else fault(piece)
        raise ValueError(
            f"Must be in it: expected a SMILES string of at most {LONGEST_PIECE} letters, such as C(=O)N, got {piece[:40]!r}: {said}"
        )
    return torch.tensor(letters)


def _begun(model: Strings, piece: Tensor, noise: Noise, y: Tensor | None, settings: StringSettings) -> tuple[Tensor, Tensor]:
    """Strings up to the end of the piece, (n, length), 0 after it, and which of their letters are known."""
    n, k, room = len(noise), len(piece), model.space.length - len(piece)
    many = Noise([(seed + draft * DRAFT_STEP) % SEED_LIMIT for seed in noise.seeds for draft in range(DRAFTS)])
    wide = None if y is None else y.repeat_interleave(DRAFTS, 0)
    drafts = model.sample(many, wide, settings)
    places = torch.arange(room)
    x = drafts[:, None].repeat(1, room, 1)  # (n drafts, places, length), the piece put in at each place
    at = torch.arange(model.space.length)
    inside = (at >= places[:, None]) & (at < places[:, None] + k)
    x = torch.where(inside, piece[(at - places[:, None]).clamp(0, k - 1)], torch.where(at < places[:, None], x, model.space.end))
    open_to = (drafts == model.space.end).cumsum(1)[:, :room] < 2  # not behind the end
    lots = noise.uniform(DRAFTS * room).masked_fill(~open_to.view(n, -1), -1)
    open_to &= (lots >= lots.topk(min(PLACES, lots.shape[1]))[0][:, -1:]).view_as(open_to)
    of = None if wide is None else wide[open_to.nonzero()[:, 0]]
    fits = torch.full(open_to.shape, -torch.inf)
    fits[open_to] = torch.where(inside.expand_as(x)[open_to], model.pixel_log_prob(x[open_to], of), 0).sum(1)
    chosen = noise.choose(fits.view(n, -1).softmax(1))
    row = torch.arange(n)
    x, place = x.view(n, -1, model.space.length)[row, chosen], chosen % room
    known = at < place[:, None] + k
    return torch.where(known, x, 0), known


def _letter_by_letter(x: Tensor, space: Smiles) -> list[Frame]:
    most = int((x != space.end).sum(1).max())
    at = torch.arange(space.length)
    return [Frame(torch.where(at < count, x, space.end), f"{count} tokens") for count in range(most + 1)]


@dataclass(frozen=True)
class Shares:
    """Of some strings: how many are molecules, how many different ones these are, and how many of those are not in the part of QM9 that
    models learn from."""

    count: int
    valid: int
    unique: int
    new: int


def shares(texts: Sequence[str]) -> Shares:
    """What is valid as RDKit reads it; two strings of one molecule are one, whatever the order of its atoms."""
    molecules = [each for each in map(canonical, texts) if each]
    different = set(molecules)
    return Shares(len(texts), len(molecules), len(different), len(different - qm9.learned()))


@dataclass(frozen=True)
class Told:
    """Of one string: what is wrong with it, or what can be computed; whether it is not in the part of QM9 that models learn from, where
    that is its data set; the most alike among some that were held out, with their Tanimoto similarity; its shape (`molecule.solid`)."""

    smiles: str
    wrong: str
    facts: Facts | None = None
    new: bool | None = None
    nearest: str = ""
    alike: float = 0.0
    solid: dict[str, Any] | None = None


def told_drawn(made: Drawn, at: int) -> Told:
    """Of one that was drawn; a graph that is no molecule says why."""
    data = catalog.dataset(made.id)
    if not made.smiles[at] and isinstance(data.space, Graphs):
        row = made.frames[-1].x[at]
        return Told(graph.as_built(data.space, row), graph.fault(data.space, row))
    return told(made.smiles[at], data.id)


def ships_whole(data: str) -> bool:
    """Whether all of a data set ships, so that what is new can be told."""
    return qm9.DATA.id in (data, SETS[data].of)


def told(smiles: str, data: str = qm9.DATA.id) -> Told:
    """Of any string, beside the molecules of a data set."""
    whole = canonical(smiles)
    if whole is None:
        return Told(smiles, fault(smiles))
    from rdkit.DataStructs import BulkTanimotoSimilarity

    known = qm9.learned() if ships_whole(data) else None
    texts, prints = _held_out(SETS[data].of or data)
    alike = BulkTanimotoSimilarity(_print(whole), prints)
    at = max(range(len(alike)), key=alike.__getitem__)
    return Told(smiles, "", facts(smiles), None if known is None else whole not in known, texts[at], float(alike[at]), solid(smiles))


def surprise(id: str, smiles: str) -> tuple[list[str], Tensor]:
    """The letters of a string, and its end, and what each cost, in nats. ValueError for one that the model cannot spell."""
    model = catalog.open_for("log_prob", id).model
    try:
        x = catalog.read(id, smiles)
    except ValueError as error:
        raise ValueError(f"The model spells with {''.join(model.space.alphabet)}, and at most {model.space.length - 1} letters") from error
    count = len(smiles)
    if count == model.space.length:
        raise ValueError(f"The model ends after at most {count - 1} letters")
    return [*smiles, END], -model.pixel_log_prob(x)[0, : count + 1]


@lru_cache(maxsize=4)
def _held_out(data: str) -> tuple[list[str], list[Any]]:
    space = SETS[data].space
    texts = strings(space, space.read(SETS[data].shown()[0]))
    return texts, [_print(each) for each in texts]


def unlike(texts: Sequence[str]) -> float:
    """How unlike some molecules are on average, 1 - Tanimoto similarity of two of them, a repeated one counted as often: 0 to 1."""
    from rdkit.DataStructs import BulkTanimotoSimilarity

    prints = [_print(each) for each in texts]
    alike = [same for at, one in enumerate(prints) for same in BulkTanimotoSimilarity(one, prints[:at])]
    return 1 - sum(alike) / len(alike) if alike else 0.0


def _print(smiles: str) -> Any:
    from rdkit import Chem

    return _generator().GetFingerprint(Chem.MolFromSmiles(smiles))


@lru_cache(maxsize=1)
def _generator() -> Any:
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
