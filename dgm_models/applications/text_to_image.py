"""Text to image, stage by stage (Ramesh et al., 2022: DALL-E 2): a caption's embedding, a picture's embedding drawn given it, a picture of
16 x 16 drawn given that, and twice one of twice the sides. Each stage has noise of its own, so that it can be drawn again alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import Receipt, measured, spent
from dgm_models.contracts import SEED_LIMIT, Frame, Noise
from dgm_models.families.autoregressive import AutoregressiveSettings
from dgm_models.families.diffusion import DiffusionSettings
from dgm_models.modalities import caption

ENCODER, DECODER, READER = "encoder-captions", "decoder-captions", "reader-captions"
PLAIN = "encoder-plain-captions"  # whose captions are bags of words
UPSAMPLERS = ("upsampler-32-captions", "upsampler-64-captions")
PRIORS = {"diffusion": "prior-captions", "autoregressive": "prior-ar-captions"}
NO_PRIOR = "none"
STAGES = ("prior", "16", "32", "64")  # that draw by chance, in their order
MOST, AGAIN = 16, 1000  # pictures at once; how often a stage can be drawn again
APART = (0, 1_000_003, 2_000_029, 3_000_017)  # between the seeds of stages, and a step aside for each time that one is drawn again
ASIDE = 104_729
GUIDANCE = 2.0  # of the priors and of the decoder, throughout
DRAWS, DRAW_STEP = 16, 500_009  # points that a prior draws for each that is kept; seeds from one to the next
SMALL = DiffusionSettings(steps=12, guidance_scale=GUIDANCE, guide_from=0.0, guide_until=1.0)
PRIOR = replace(SMALL, steps=24)
PRIOR_LEVELS = AutoregressiveSettings(temperature=1.0, guidance_scale=GUIDANCE)
LARGER = DiffusionSettings(steps=6, guidance_scale=1.0, temperature=0.5)  # at 1 they are grainy


@dataclass(frozen=True)
class Drawn:
    """Pictures of captions and what they were made of: embeddings of the captions and of the pictures, (n, size), the films of three sizes,
    and what each stage cost."""

    heard: Tensor
    z: Tensor
    films: list[list[Frame]]
    receipts: list[Receipt]

    @property
    def pictures(self) -> list[Tensor]:
        """(n, 3, 16, 16), (n, 3, 32, 32), (n, 3, 64, 64) in [0, 1]."""
        return [film[-1].x for film in self.films]

    @property
    def cost(self) -> str:
        return costs(self.receipts)


def costs(receipts: Sequence[Receipt]) -> str:
    """What several stages cost, each by its name."""
    return "; ".join(f"{each.model.lower()} {each.cost}" for each in receipts)


def total(receipts: Sequence[Receipt]) -> str:
    """What they cost together."""
    parts = spent(sum(each.milliseconds for each in receipts)), f"{sum(each.evaluations for each in receipts):.0f} evaluations"
    return ", ".join(filter(None, parts))


def hear(texts: Sequence[str]) -> Tensor:
    """Embeddings of captions, (n, size). ValueError for one of which no word is known, or of too many words."""
    return catalog.load(ENCODER).hear(list(texts))


def alike(one: str, other: str, id: str = ENCODER) -> float:
    """The cosine of two captions in an encoder."""
    heard = catalog.load(id).hear([one, other])
    return float(heard[0] @ heard[1])


def look(x: Tensor) -> Tensor:
    """Embeddings of pictures (n, 3, 64, 64) in [0, 1], (n, size)."""
    return torch.cat([catalog.load(ENCODER).look(part) for part in x.split(64)])


def between(one: Tensor, other: Tensor, count: int) -> Tensor:
    """Along the great circle from one point of the sphere (1, size) to another: (count, size)."""
    angle = torch.arccos((one * other).sum().clamp(-1 + 1e-6, 1 - 1e-6))
    share = torch.linspace(0, 1, count)[:, None]
    return F.normalize(((1 - share) * angle).sin() * one + (share * angle).sin() * other, dim=1)


def seeds_of(stage: str, seed: int, count: int, again: int = 0, alike: bool = False) -> list[int]:
    """The seeds of a stage for so many pictures; `again`: how often it was drawn again. alike: the same for all."""
    at = STAGES.index(stage)
    first = (seed + APART[at] + ASIDE * again) % (SEED_LIMIT - 100)
    return [first] * count if alike else seeds_from(first, count)


def drawn_embeddings(
    heard: Tensor, seeds: Sequence[int], prior: str = "diffusion", guidance: float | None = None
) -> tuple[Tensor, Receipt]:
    """Draws of p(z | text), one a seed, (n, size), for as many embeddings of captions: of DRAWS points the one nearest to the text (Ramesh
    et al., 2022, section 2.2, take the nearer one of two). ValueError for another prior than PRIORS has."""
    if prior not in PRIORS:
        raise ValueError(f"Prior: expected one of {', '.join(PRIORS)}, got {prior!r}")
    loaded = catalog.open_model(PRIORS[prior])
    plain = PRIOR if prior == "diffusion" else PRIOR_LEVELS
    settings = plain if guidance is None else replace(plain, guidance_scale=guidance)
    with measured(loaded, catalog.recipe(PRIORS[prior]).title, seeds[0], len(seeds)) as receipt:
        noise = Noise([(seed + draw * DRAW_STEP) % SEED_LIMIT for seed in seeds for draw in range(DRAWS)])
        *_, frame = loaded.model.trace(noise, heard.repeat_interleave(DRAWS, 0), settings)
    z = frame.x.view(len(seeds), DRAWS, -1)
    return z[torch.arange(len(z)), (z * heard[:, None]).sum(2).argmax(1)], receipt


def decode(z: Tensor, seeds: Sequence[Sequence[int]], guidance: float | None = None) -> tuple[list[list[Frame]], list[Receipt]]:
    """The films of the three stages for embeddings of pictures (n, size), and what they cost. seeds: of each stage after the prior, n."""
    n, films, receipts = len(z), [], []
    if not 1 <= n <= MOST:
        raise ValueError(f"Pictures: expected 1 to {MOST} at once, got {n}")
    small = SMALL if guidance is None else replace(SMALL, guidance_scale=guidance)
    for id, stage in zip((DECODER, *UPSAMPLERS), seeds, strict=True):
        loaded = catalog.open_model(id)
        with measured(loaded, catalog.recipe(id).title, stage[0], n) as receipt:
            given = (z, small) if not films else (films[-1][-1].x, z, LARGER)
            films.append(list(loaded.model.trace(Noise(stage), *given)))
        receipts.append(receipt)
    return films, receipts


def draw(
    heard: Tensor,
    seed: int,
    again: Sequence[int] = (0, 0, 0, 0),
    prior: str = "diffusion",
    guidance: float | None = None,
    alike: bool = False,
) -> Drawn:
    """Pictures of captions by their embeddings (n, size), through all stages; `again`: how often each of STAGES was drawn again; prior: of
    PRIORS, or NO_PRIOR, where the caption's own embedding is taken for a picture's. alike: all from the same noise."""
    seeds = [seeds_of(stage, seed, len(heard), times, alike) for stage, times in zip(STAGES, again, strict=True)]
    z, receipts = heard, []
    if prior != NO_PRIOR:
        z, receipt = drawn_embeddings(heard, seeds[0], prior, guidance)
        receipts = [receipt]
    films, more = decode(z, seeds[1:], guidance)
    return Drawn(heard, z, films, [*receipts, *more])


def read(x: Tensor) -> Tensor:
    """What the judge reads of pictures (n, 3, 64, 64): attributes (n, caption.NAMES), those of one kind."""
    rows = catalog.load(READER).read(x)
    for i, row in enumerate(rows):
        kind = tuple(caption.KINDS)[row[0]]
        for other, places in caption.OF.items():
            if other != kind:
                rows[i, list(places)] = caption.UNSAID
    return rows


def as_asked(asked: Tensor, found: Tensor) -> tuple[int, int, list[str]]:
    """Of what a caption says beside the kind, (caption.NAMES,), how much a picture shows as `read` found it, of how much, and what it shows
    otherwise, in words."""
    said = [at for at in (asked != caption.UNSAID).nonzero().flatten().tolist() if at]
    wrong = [at for at in said if asked[at] != found[at]]
    words = [caption.ATTRIBUTES[caption.NAMES[at]][found[at]] for at in wrong if found[at] != caption.UNSAID]
    return len(said) - len(wrong), len(said), words if found[0] == asked[0] else [f"a {tuple(caption.KINDS)[found[0]]}"]


@lru_cache(maxsize=1)
def _shown() -> tuple[Tensor, Tensor, Tensor]:
    """The pictures that ship, what is said of them, and their embeddings."""
    data = catalog.dataset(ENCODER)
    x, rows = data.shown()
    x = data.space.read(x)
    return x, rows, look(x)


def nearest(z: Tensor, count: int) -> tuple[Tensor, list[list[str]]]:
    """The pictures that ship whose embeddings are nearest to points of the sphere (n, size), (n, count, 3, 64, 64), and their captions."""
    x, rows, known = _shown()
    at = (z @ known.T).topk(count, dim=1).indices
    return x[at], [[caption.caption(rows[i]) for i in row] for row in at.tolist()]


@lru_cache(maxsize=1)
def _words() -> tuple[list[str], Tensor]:
    """Whatever may be said of a picture, one thing at a time, and the embeddings of captions that say that alone."""
    rows = []
    for kind, places in caption.OF.items():
        for at in places:
            for choice in range(len(caption.ATTRIBUTES[caption.NAMES[at]])):
                row = [caption.UNSAID] * len(caption.NAMES)
                row[0], row[at] = tuple(caption.KINDS).index(kind), choice
                rows.append(row)
    texts = [caption.caption(row) for row in rows]
    return texts, hear(texts)


def nearest_words(heard: Tensor, count: int) -> list[str]:
    """Of all captions that say one thing, the nearest to an embedding (1, size)."""
    texts, known = _words()
    return [texts[i] for i in (known @ heard[0]).topk(count).indices.tolist()]
