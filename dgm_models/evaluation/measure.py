"""Measure a model on held-out data and write what came out into the manifest: one part at a time, each with its protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from dgm_models import catalog, weights
from dgm_models.applications import few
from dgm_models.applications.mixing import labels_along, sweeps_between_changes
from dgm_models.applications.restore import bicubic, hole
from dgm_models.contracts import Noise, last
from dgm_models.data import SETS, mnist
from dgm_models.evaluation import described, metrics, molecules, pictures, texts
from dgm_models.evaluation.material import (
    BATCH,
    PLAIN,
    UNGUIDED,
    as_learned,
    bank,
    features,
    held_out,
    keep_sheet,
    reads,
    share,
    sharpened,
)
from dgm_models.families.reader import Reader
from dgm_models.measurements import Hide, Linear, Shrink
from dgm_models.probability import bits_per_dimension
from dgm_models.spaces import Graphs, Selfies, Smiles, Tokens
from dgm_models.training.loop import train
from dgm_models.training.optimizers import multiplies_bf16

DRAWN = 10_000
FEW_STEPS = (0, 150, 300, 600, 1000, 1500)  # of particles, at which they are measured
TEMPERATURES = (0.4, 0.7, 0.85, 1.0, 1.15)
Scores = dict[str, Any]


def evaluate(id: str, parts: list[str] | None = None, digits: int | None = None, draws: int | None = None) -> Iterator[tuple[str, Scores]]:
    """Yields (part, scores) as they are measured and records them; parts: of PARTS, of texts of OF_TEXTS, of molecules of OF_MOLECULES, of
    data sets that ask for something else of BY_DATA; all by default.

    `digits` takes fewer test digits for likelihood and restoration than their protocol says, `draws` fewer samples to be read and to be
    compared; the scores say how many.
    """
    row = catalog.recipe(id)
    space = catalog.dataset(id).space
    mine = BY_DATA.get(row.data) or (
        OF_MOLECULES if isinstance(space, Smiles | Selfies | Graphs) else OF_TEXTS if isinstance(space, Tokens) else PARTS
    )
    wanted = parts or list(mine)
    if unknown := [part for part in wanted if part not in mine]:
        raise ValueError(f"unknown part {unknown[0]!r}; there are: {', '.join(mine)}")
    model = catalog.load(id)
    for part in wanted:
        began = time.perf_counter()
        count = {"digits": digits} if digits and part in ("likelihood", "nats", "inpainting", "super_resolution") else {}
        count |= {"draws": draws} if draws and part in ("samples", "distances", "guided", "texture") else {}
        scores = mine[part](id, model, **count) if row.generative or mine is not PARTS else _discriminative(part, id, model)
        if scores:
            scores[f"{part}_seconds"] = round(time.perf_counter() - began)
            known = weights.manifest()[id].get("scores", {})
            weights.record(id, {"scores": {**known, **scores}})
            yield part, scores


# the parts ------------------------------------------------------------------------------------------------------------


def _samples(id: str, model: nn.Module, draws: int | None = None) -> Scores:
    """10,000 pictures, each label as often, with default settings: which share the judge reads as asked."""
    data = catalog.dataset(id)
    asked = data.condition.in_turn(draws or DRAWN)
    made = bank(model, asked)
    keep_sheet(f"{id}-samples", made[:100], 10)
    name = "read_as_asked_guided" if sharpened(model) else "read_as_asked"
    return {name: share(reads(made, data.id) == asked), "read_draws": len(made)}


def _distances(id: str, model: nn.Module, draws: int | None = None) -> Scores:
    """10,000 pictures with the labels of the test pictures, as p(x) has them, against the test pictures.

    Without guidance, at temperature 1, in 20 steps of the ancestral process where a model takes steps, by its second-order sampler
    (on 2,500 digits: 0.173, first order 0.188; the ODE's samplers score less well).
    """
    data = catalog.recipe(id).data
    real, y = held_out(data)
    y = y[: draws or DRAWN]
    made = bank(model, y, **as_learned(model.Settings))
    scores: Scores = {}
    if sharpened(model):
        scores = {"read_as_asked": share(reads(made, data) == y)}
        keep_sheet(f"{id}-samples-unguided", made[:100], 10)
    return scores | _against(real, made, data) | _memorised(made[:1000], real[:1000], data)


def _guided(id: str, model: nn.Module, draws: int | None = None) -> Scores:
    """The same distances for 10,000 pictures with default settings, where those guide or cool: what a person sees in the app."""
    if not sharpened(model):
        return {}
    data = catalog.recipe(id).data
    real, y = held_out(data)
    found = _against(real, bank(model, y[: draws or DRAWN]), data)
    return {f"{name}_guided": value for name, value in found.items() if "floor" not in name}


def _against(real: Tensor, made: Tensor, data: str) -> Scores:
    """Frechet and kernel distance with their floors, precision and recall."""
    floor, theirs, ours = _floor(data, len(made)), features(real, data), features(made, data)
    distance = metrics.frechet(theirs, ours)
    scores: Scores = {
        "compared_draws": len(made),
        "frechet": distance,
        "frechet_floor": floor["frechet"],
        "frechet_ratio": distance / floor["frechet"],
    }
    scores |= {"kernel_distance": metrics.kernel_distance(theirs, ours), "kernel_floor": floor["kernel"]}
    return scores | metrics.precision_recall(theirs, ours)


def _texture(id: str, model: nn.Module, draws: int | None = None) -> Scores:
    """2,000 draws of p(x) as for distances, against the test pictures in features that see grain (`metrics.textures`), over what as many
    training pictures score there."""
    data = catalog.recipe(id).data
    real, y = held_out(data)
    y = y[: draws or 2000]
    theirs, space, known = metrics.textures(real), SETS[data].space, SETS[data].train()[0]
    some = known[torch.randperm(len(known), generator=torch.Generator().manual_seed(0))[: len(y)]]
    floor = metrics.frechet(theirs, metrics.textures(space.read(some)))
    distance = metrics.frechet(theirs, metrics.textures(bank(model, y, **as_learned(model.Settings))))
    return {"texture": distance, "texture_floor": floor, "texture_ratio": distance / floor, "texture_draws": len(y)}


@lru_cache(maxsize=4)
def _floor(data: str, count: int, draws: int = 4) -> dict[str, float]:
    """What so many training pictures score against the test pictures, with as many of each label as the samples have, in their place.

    The mean of several disjoint draws, for one alone lies up to a tenth beside it.
    """
    (x, y), space, labels = SETS[data].train(), SETS[data].space, SETS[data].condition.count
    real, truth = held_out(data)
    generator = torch.Generator().manual_seed(0)
    shuffled = [
        members[torch.randperm(len(members), generator=generator)] for members in ((y == label).nonzero()[:, 0] for label in range(labels))
    ]
    counts, theirs = torch.bincount(truth[:count], minlength=labels).tolist(), features(real, data)
    found: dict[str, list[float]] = {"frechet": [], "kernel": []}
    for draw in range(draws):
        some = torch.cat([members[draw * n : (draw + 1) * n] for members, n in zip(shuffled, counts, strict=True)])
        ours = features(space.read(x[some]), data)
        found["frechet"].append(metrics.frechet(theirs, ours))
        found["kernel"].append(metrics.kernel_distance(theirs, ours))
    return {name: sum(values) / draws for name, values in found.items()}


def _memorised(made: Tensor, real: Tensor, data: str) -> Scores:
    """Pixel distance to the nearest of all training pictures: ours over a test picture's, and how many are nearer than 1 % of those."""
    known = SETS[data].space.read(SETS[data].train()[0])
    ours, theirs = metrics.nearest(made, known), metrics.nearest(real, known)
    return {"nearest_ratio": float(ours.median() / theirs.median()), "nearer_than_1_percent": share(ours < theirs.quantile(0.01))}


def _synthetic(id: str, model: nn.Module) -> Scores:
    """A reader that learned from 30,000 drawn pictures alone, unguided ones where there is guidance, on the real test pictures."""
    data = catalog.dataset(id)
    y = data.condition.in_turn(30_000)
    made = bank(model, y, **(UNGUIDED if "guidance_scale" in model.Settings.knobs() else PLAIN))
    student = Reader(model.space, data.condition.count)
    for _ in train(student, made, y, steps=2500, batch=128, rate=2e-3, bf16=multiplies_bf16()):
        pass
    x, truth = held_out(data.id)
    with torch.no_grad():
        said = torch.cat([student(chunk).argmax(1) for chunk in x.split(500)])
    return {"train_on_synthetic": share(said == truth), "synthetic_digits": len(made)}


def _likelihood(id: str, model: nn.Module, digits: int | None = None) -> Scores:
    """Bits a dimension of 8-bit test digits given their labels; how many digits, and for a VAE with how many codes."""
    if not hasattr(model, "log_prob") or model.evidence == "unnormalised" or model.binary:
        return {}
    options = {"k": 1000} if hasattr(model, "elbo") else {}
    count = digits or (500 if options else 1000 if hasattr(model, "denoiser") else 10_000)  # what a quarter of an hour allows
    x, y = held_out(catalog.recipe(id).data)
    x, y = x[:count], y[:count]
    nats = torch.cat([model.log_prob(x[i : i + 100], y[i : i + 100], **options) for i in range(0, count, 100)])
    bits = bits_per_dimension(nats, model.space.size)
    scores = {
        "bits_per_dimension": float(bits.mean()),
        "bits_standard_error": float(bits.std() / count**0.5),
        "evidence": model.evidence,
        "likelihood_digits": count,
    }
    if options:
        elbo = torch.cat([model.log_prob(x[i : i + 500], y[i : i + 500], k=1) for i in range(0, len(x), 500)])
        scores |= {"importance_codes": 1000, "bits_elbo": float(bits_per_dimension(elbo.mean(), model.space.size))}
    return scores


def _nats(id: str, model: nn.Module, digits: int = 10_000) -> Scores:
    """Nats of static binarized test digits under p(x), the mean over labels; with the protocol of the constant that is estimated.

    Fewer digits are taken evenly from the file, which is sorted by label: the first thousand alone are ten nats harder than all.
    """
    if not model.binary:
        return {}
    x = mnist.binarized_test()[:: 10_000 // digits]
    found = -torch.cat([model.log_prob(chunk) for chunk in x.split(500)])
    return {
        "nats": float(found.mean()),
        "nats_standard_error": float(found.std() / len(found) ** 0.5),
        "nats_evidence": model.evidence,
        "nats_digits": len(found),
        **model.constant(),
    }


def _recognition(id: str, model: nn.Module) -> Scores:
    """The share of test digits whose label a generative model recognises itself, where it can."""
    if not hasattr(model, "recognise"):
        return {}
    x, y = held_out(catalog.recipe(id).data)
    return {"recognised": share(torch.cat([model.recognise(chunk) for chunk in x.split(500)]).argmax(1) == y)}


def _mixing(id: str, model: nn.Module, chains: int = 100, warm: int = 50, sweeps: int = 200) -> Scores:
    """Sweeps until a chain without a label reads otherwise: 100 chains at temperature 1, the energy not faded, after 50 sweeps."""
    knobs = model.Settings.knobs()
    if "sweeps" not in knobs:
        return {}
    plain = {"annealed": 0.0, "sweeps": warm + sweeps}
    frames = list(model.trace(Noise(range(chains)), None, model.Settings(**{k: v for k, v in plain.items() if k in knobs})))
    every = sweeps_between_changes(labels_along(frames[-sweeps:]))
    return {"sweeps_until_another_digit": min(every, float(sweeps * chains)), "mixing_sweeps": sweeps, "mixing_chains": chains}


def _few(id: str, model: nn.Module, count: int = 1000) -> Scores:
    """Of what learns from 200 digits: Frechet distance of 1,000 pictures from the 10,000 test digits, and how far the nearest of the
    200 is (median); of the GAN, of particles as they move, of the 200 digits, and of 1,000 test digits."""
    if catalog.recipe(id).split != "few":
        return {}
    real, y = held_out(catalog.recipe(id).data)
    theirs, settings = features(real, "mnist"), few.FewSettings(steps=FEW_STEPS[-1])

    def scored(x: Tensor) -> list[float]:
        return [round(metrics.frechet(theirs, features(x, "mnist")), 2), round(float(few.nearest(x)[1].median()), 2)]

    made = bank(model, torch.arange(count) % 10)
    keep_sheet(id, made[:100], 10)
    scores: Scores = {"few_gan": scored(made), "few_digits": scored(mnist.pixels(mnist.few()[0])), "few_test": scored(real[:count])}
    for step, z in enumerate(few.move(count, 0, settings)):
        if step in FEW_STEPS:
            x = few.components().picture(z)
            keep_sheet(f"few-particles-{step}", x[:100], 10)
            scores[f"few_particles_{step}"] = scored(x)
    return scores


def _inpainting(id: str, model: nn.Module, digits: int = 1000) -> Scores:
    """1,000 test digits, no label, the centre 14 x 14 hidden."""
    return _restoration(id, model, "inpainting", Hide(hole("centre")), digits)


def _super_resolution(id: str, model: nn.Module, digits: int = 1000) -> Scores:
    """1,000 test digits, no label, shrunk 4 times."""
    if not issubclass(Shrink, model.restores):
        return {}
    return _restoration(id, model, "super_resolution", Shrink(4), digits)


def _restoration(id: str, model: nn.Module, name: str, away: Linear, digits: int, draws: int = 8) -> Scores:
    """One answer for each digit; spread and mean from 8 draws for an eighth of them."""
    if not model.restores:
        return {}
    x, y = held_out(catalog.recipe(id).data)
    spread = max(1, digits // draws)
    x, y = x[:digits], y[:digits]
    seen = away(x)
    answer = _restored(model, seen, away, 0)
    several = _restored(model, seen[:spread].repeat_interleave(draws, dim=0), away, digits)
    few = several.view(spread, draws, *several.shape[1:]).transpose(0, 1)
    mean = few.mean(0)
    rows = [x[:12], away.pinv(seen[:12]), *few[:4, :12]]
    keep_sheet(f"{id}-{name.replace('_', '-')}", torch.cat(rows), 12)
    scores = {
        f"{name}_digits": digits,
        f"{name}_read_as_original": share(reads(answer, catalog.recipe(id).data) == y),
        f"{name}_psnr": float(metrics.psnr(answer, x).mean()),
        f"{name}_ssim": float(metrics.ssim(answer, x).mean()),
        f"{name}_largest_change": float((away(answer) - seen).abs().max()),
        f"{name}_calibration": metrics.calibration_ratio(few, x[:spread]),
        f"{name}_psnr_of_mean": float(metrics.psnr(mean, x[:spread]).mean()),
    }
    if isinstance(away, Shrink):
        scores[f"{name}_psnr_bicubic"] = float(metrics.psnr(bicubic(seen[:spread], 4), x[:spread]).mean())
    return scores


def _restored(model: nn.Module, seen: Tensor, away: Linear, seed: int) -> Tensor:
    """One answer a measurement, in float32: guidance takes differences that bf16 is too coarse for."""
    starts = range(0, len(seen), BATCH)
    return torch.cat(
        [last(model.restore(seen[i : i + BATCH], away, Noise(range(seed + i, seed + min(i + BATCH, len(seen)))))).x for i in starts]
    )


def _temperature(id: str, model: nn.Module, digits: int = 500) -> Scores:
    """Precision (fidelity) and recall (diversity) of 500 unguided digits against 2,000 test digits, at several temperatures."""
    real, y = held_out(catalog.recipe(id).data)
    theirs, curve = features(real[:2000], catalog.recipe(id).data), []
    for temperature in TEMPERATURES:
        ours = features(bank(model, y[:digits], temperature=temperature, guidance_scale=1.0), catalog.recipe(id).data)
        found = metrics.precision_recall(theirs, ours)
        curve.append([temperature, round(found["precision"], 4), round(found["recall"], 4)])
    return {"temperature": curve}


def _speed(id: str, model: nn.Module) -> Scores:
    """Median milliseconds of default sampling for 1 and for 16 digits, after a warm-up."""
    y = catalog.dataset(id).condition.in_turn(16)
    return {f"milliseconds_{n}": median_ms(lambda n=n: model.sample(Noise(range(n)), y[:n])) for n in (1, 16)}


def median_ms(work: Callable[[], Any], repeats: int = 7) -> float:
    """After one round that is not counted."""
    taken = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return sorted(taken[1:])[repeats // 2]


def _discriminative(part: str, id: str, model: nn.Module) -> Scores:
    """The accuracy of a judge, and the error of a regressor, on the test pictures."""
    data = catalog.recipe(id).data
    x, y = held_out(data)
    if part == "samples" and isinstance(model, Reader):
        return {"accuracy": share(reads(x, data) == y)}
    ways = {"inpainting": Hide(hole("centre")), "super_resolution": Shrink(4)}
    if part in ways and not isinstance(model, Reader):
        x, y, away = x[:1000], y[:1000], ways[part]
        answer = model.restore(away(x), away)
        return {f"{part}_psnr": float(metrics.psnr(answer, x).mean()), f"{part}_read_as_original": share(reads(answer, data) == y)}
    return {}


PARTS: dict[str, Callable[..., Scores]] = {
    "speed": _speed,
    "samples": _samples,
    "distances": _distances,
    "guided": _guided,
    "texture": _texture,
    "inpainting": _inpainting,
    "super_resolution": _super_resolution,
    "likelihood": _likelihood,
    "nats": _nats,
    "recognition": _recognition,
    "mixing": _mixing,
    "few": _few,
    "synthetic": _synthetic,
    "temperature": _temperature,
}
OF_MOLECULES: dict[str, Callable[..., Scores]] = {
    "validity": molecules.validity,
    "strings": molecules.strings,
    "asked": molecules.asked,
    "recovered": molecules.recovered,
    "balance": molecules.balance,
}
OF_TEXTS: dict[str, Callable[..., Scores]] = {"perplexity": texts.perplexity, "writing": texts.writing, "included": texts.included}
BY_DATA: dict[str, dict[str, Callable[..., Scores]]] = {
    "mnist-shape": {"written": pictures.written},
    "cifar-colour": {"coloured": pictures.coloured},
    "cifar-palette": {"palettes": pictures.palettes},
    "captions": {"retrieved": described.retrieved, "imagined": described.imagined, "shown": described.shown},
    "captions-whole": {"attributes": described.attributes},
    "avatars": {"faces": described.faces},
    "emoji": {"translated": described.translated},
    "hands": {"hands": described.hands},
    "photos": {"enlarged": pictures.enlarged, "filled": pictures.filled},
}
