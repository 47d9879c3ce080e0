"""Progress, 2014 to 2021: a model a year, of about as many parameters and of the same faces, and what each cost and is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dgm_models import catalog, weights
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import Receipt, measured
from dgm_models.contracts import SEED_LIMIT, Noise, Settings
from dgm_models.families.diffusion import DiffusionSettings
from dgm_models.families.gan import GANSettings

IDEAS = {
    2014: "two networks play a game",
    2015: "convolutions, batch normalization",
    2016: "two kinds share layers",
    2017: "small pictures first, then larger",
    2018: "a style steers every layer",
    2019: "kernels are scaled, nothing grows",
    2020: "noise, and many small steps back",
    2021: "the same, told what to draw, and guided",
}
YEARS = tuple(IDEAS)
HAIR = (1, 5, 2, 1, 1, 1)  # how often each colour is among the faces, of eleven
TOLD = 1_000_003  # between the seeds of a face and of the colour of its hair, where none is asked for
GUIDANCE = 1.5
COUPLED, GUIDED = 2016, 2021
MOST = 64
ONCE = GANSettings(frames=1)
SMALL_STEPS = DiffusionSettings(
    steps=40, guidance_scale=1.0, guide_from=0.0, guide_until=1.0, sampler="ancestral DDPM", grid="uniform log-SNR"
)


@dataclass(frozen=True)
class Faces:
    """Of one year, (n, 3, 16, 16), and what they cost."""

    x: Tensor
    receipt: Receipt


def id_of(year: int) -> str:
    """The model of a year. ValueError for another one."""
    if year not in IDEAS:
        raise ValueError(f"Year: expected one of {', '.join(map(str, YEARS))}, got {year!r}")
    return f"year-{year}-avatars"


def settings_of(year: int, guidance: float = GUIDANCE) -> Settings:
    """As the year had them: one evaluation, or many small steps, and in the last one guidance."""
    if year < 2020:
        return ONCE
    return replace(SMALL_STEPS, guidance_scale=guidance) if year == GUIDED else SMALL_STEPS


def faces(year: int, seed: int, count: int, y: Tensor | None = None, guidance: float = GUIDANCE, alike: bool = False) -> Faces:
    """So many faces, number i from seed + i, or all from one code. y: the colour of hair of each, (n,), where the year's model hears it; it
    is drawn as often as it occurs where none is asked for. ValueError for too many."""
    if not 1 <= count <= MOST:
        raise ValueError(f"Faces: expected 1 to {MOST}, got {count}")
    loaded = catalog.open_for("sample", id_of(year))
    seeds = [seed] * count if alike else seeds_from(seed, count)
    if y is None and year in (COUPLED, GUIDED):
        y = Noise([(each + TOLD) % SEED_LIMIT for each in seeds]).choose(torch.tensor(HAIR))
    noise = Noise(seeds)
    with measured(loaded, catalog.recipe(id_of(year)).title, seed, count) as receipt:
        x = loaded.model.sample(noise, y, settings_of(year, guidance))
    return Faces(x, receipt)


def costs(made: dict[int, Faces]) -> str:
    """What the years' faces cost: how many evaluations each, years that cost as many together, and then the cost of each year's."""
    spans: dict[float, list[int]] = {}
    for year, each in made.items():
        spans.setdefault(each.receipt.evaluations, []).append(year)
    said = [f"{years[0]}{f' to {years[-1]}' if years[1:] else ''}: {evaluations:.0f} a face" for evaluations, years in spans.items()]
    return " · ".join([f"evaluations {'; '.join(said)}", *(f"{year}: {each.receipt.cost}" for year, each in made.items())])


def pairs(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Of the coupled networks, faces with dark hair and with bright hair, each pair from one code: two times (n, 3, 16, 16)."""
    kinds = catalog.dataset(id_of(COUPLED)).condition.count
    return tuple(faces(COUPLED, seed, count, torch.full((count,), label)).x for label in (0, kinds - 1))


def distance(year: int) -> float | None:
    """Frechet distance of its faces to held-out ones, over that of other real ones, as it was measured; None where it was not."""
    return weights.manifest().get(id_of(year), {}).get("scores", {}).get("frechet_ratio")


def rounded(distance: float) -> str:
    """A distance to as many digits as mean something of 1,000 faces."""
    return f"{distance:.1f}" if distance < 10 else f"{distance:.0f}"


def gain(year: int) -> str:
    """What the year's idea brings here, by that distance beside the best of the years before."""
    known = {each: distance(each) for each in YEARS if each <= year}
    if any(value is None for value in known.values()):
        return ""
    before = [value for each, value in known.items() if each < year]
    if not before:
        return f"distance {rounded(known[year])}"
    return f"distance {rounded(known[year])}" + ("" if known[year] < min(before) else ", no gain at this size")
