"""How well pictures are as asked: digits written as their numbers say, colours that go with a grey picture, photographs enlarged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from dgm_models import catalog
from dgm_models.applications import colours, enlarging, filling
from dgm_models.applications.written import HEEDING
from dgm_models.contracts import Noise, Settings, last
from dgm_models.data import SETS, photos
from dgm_models.data.colour import known
from dgm_models.evaluation.material import BATCH, fast, held_out, keep_sheet, reads, share
from dgm_models.families.holes import holes
from dgm_models.measurements import Grey, Hide, put_back_in_range
from dgm_models.modalities import strokes

Scores = dict[str, Any]
ASKED, SEVERAL = 1_000, 500


def written(id: str, model: nn.Module) -> Scores:
    """1,000 digits, each label as often, with the numbers of test digits of any label: the correlation of asked and measured within a
    label, with the settings of the page, and what share the judge reads as asked. A sheet of a hundred."""
    known_shapes = SETS[catalog.recipe(id).data].shown()[1][:, 1:]
    labels = torch.arange(ASKED) % 10
    picked = known_shapes[torch.randint(0, len(known_shapes), (ASKED,), generator=torch.Generator().manual_seed(0))]
    made = _sampled(model, torch.cat([labels[:, None].float(), picked], 1), HEEDING)
    keep_sheet(f"{id}-samples", made[:100], 10)
    found = strokes.measure(made)
    scores: Scores = {"written_draws": ASKED, "read_as_asked_guided": share(reads(made, "mnist") == labels)}
    for at, name in enumerate(strokes.NAMES):
        scores[f"asked_{name}"] = within(picked[:, at], found[:, at], labels)
    return scores


def within(asked: Tensor, measured: Tensor, labels: Tensor) -> float:
    """The correlation of two numbers (n,) after each label's own mean is taken off both."""
    there = measured.isfinite()
    asked, measured, labels = asked[there].double(), measured[there].double(), labels[there]
    both = torch.stack([asked, measured])
    for label in labels.unique():
        both[:, labels == label] -= both[:, labels == label].mean(1, keepdim=True)
    return float(torch.corrcoef(both)[0, 1])


def coloured(id: str, model: nn.Module) -> Scores:
    """All 10,000 test pictures from their grey ones: how far the grey moved, what the reader makes of the grey pictures, of those of least
    error, of the answers and of the real ones, how saturated answers are; of 500 the colour of the best of eight. A sheet of twelve."""
    if not hasattr(model, "sample"):
        return {}
    x, labels = held_out("cifar")
    grey = Grey()(x)
    made = _answers(model, grey, range(len(x)))
    few = torch.stack([_answers(model, grey[:SEVERAL], range(way * SEVERAL, (way + 1) * SEVERAL)) for way in range(1, 8)])
    few = torch.cat([made[None, :SEVERAL], few])
    least = torch.cat([colours.least_error(part) for part in grey.split(BATCH)])
    keep_sheet(f"{id}-samples", torch.cat([grey[:12].expand(-1, 3, -1, -1), x[:12], least[:12], *few[:5, :12]]), 12)
    plain = {"grey": grey.expand_as(x), "least_error": least, "answers": made, "real": x}
    scores: Scores = {"coloured_pictures": len(x), "grey_largest_change": float((Grey()(made) - grey).abs().max())}
    scores |= {f"reader_of_{name}": share(reads(each, "cifar") == labels) for name, each in plain.items()}
    scores["saturation_ratio"] = float(colours.saturation(made).mean() / colours.saturation(x).mean())
    best = torch.stack([colours.chroma_error(each, x[:SEVERAL]) for each in few]).amin(0)
    gain = colours.decibels(best) - colours.decibels(colours.chroma_error(least[:SEVERAL], x[:SEVERAL]))
    return scores | {"best_of_8_gain": float(gain.mean()), "best_of_8_pictures": SEVERAL}


def palettes(id: str, model: nn.Module) -> Scores:
    """500 test pictures: the nearest of eight palettes, root mean square off, over what the mean of the eight has."""
    x, grey = (each[:SEVERAL] for each in held_out(catalog.recipe(id).data))
    drawn = torch.stack([_sampled(model, grey, colours.PLAIN, way * SEVERAL) for way in range(8)])
    off = lambda each: (each - x).square().flatten(1).mean(1).sqrt()  # noqa: E731
    nearest = torch.stack([off(each) for each in drawn]).amin(0).mean()
    return {"palette_best_of_8": float(nearest / off(drawn.mean(0)).mean())}


def enlarged(id: str, model: nn.Module) -> Scores:
    """Set5, and four of Set14, shrunk 2 and 4 times and enlarged, by the model and by the cubic filter: PSNR of luminance, and the distance
    in features of tiles, means over pictures. A sheet of the middles of Set5, 4 times: real, cubic, enlarged."""
    if not hasattr(model, "enlarge"):
        return {}
    scores: Scores = {}
    for factor, (name, pictures) in ((factor, each) for factor in (2, 4) for each in (("set5", photos.SET5), ("set14", photos.SET14))):
        real = [photos.DATA.space.read(photos.held_out()[each])[None] for each in pictures]
        small = [enlarging.shrunk(x, factor) for x in real]
        for way, enlarge in (("", model.enlarge), ("_bicubic", enlarging.bicubic)):
            made = [enlarge(seen, factor) for seen in small]
            pairs = list(zip(made, real, strict=True))
            scores[f"{name}_x{factor}{way}_psnr"] = _mean(enlarging.luminance_psnr(x, truth, factor) for x, truth in pairs)
            scores[f"{name}_x{factor}{way}_features"] = _mean(enlarging.feature_distance(x, truth) for x, truth in pairs)
            if (name, factor, way) == ("set5", 4, ""):
                plain = [enlarging.bicubic(seen, factor) for seen in small]
                keep_sheet(f"{id}-enlarged", torch.cat([_middle(x) for row in (real, plain, made) for x in row]), len(real))
    return scores


def filled(id: str, model: nn.Module) -> Scores:
    """The held-out tiles, each with a hole as in training: what changed of what was seen, how much neighbours differ across the border of a
    hole over within it, the same of the tiles themselves, and PSNR within holes. A sheet of twenty, looked at."""
    if not hasattr(model, "fill") and not hasattr(model, "restore"):
        return {}
    x = photos.DATA.space.read(photos.test()[0])
    seen = holes(len(x), photos.SIDE, x.device, torch.Generator().manual_seed(0))
    made = model.fill(x, seen) if hasattr(model, "fill") else last(model.restore(x * seen, Hide(seen), Noise(range(len(x))))).x
    some = torch.linspace(0, len(x) - 1, 20).long()  # of all photographs
    keep_sheet(f"{id}-filled", torch.cat([each[some] for each in (x, torch.where(seen, x, torch.tensor(0.4)), made)]), 20)
    off = ((made - x).square() * ~seen).sum() / (3 * (~seen).sum())
    return {
        "filled_tiles": len(x),
        "filled_largest_change": float(((made - x).abs() * seen).max()),
        "seam": filling.seam(made, seen),
        "seam_of_real": filling.seam(x, seen),
        "filled_psnr": float(colours.decibels(off)),
    }


def _middle(x: Tensor, side: int = 128) -> Tensor:
    top, left = ((each - side) // 2 for each in x.shape[-2:])
    return x[..., top : top + side, left : left + side]


def _mean(values: Iterator[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _sampled(model: nn.Module, y: Tensor, settings: Settings, first: int = 0) -> Tensor:
    """An element for each row of conditions, number i from seed first + i."""
    with fast(model):
        parts = [
            model.sample(Noise(range(first + i, first + min(i + BATCH, len(y)))), y[i : i + BATCH], settings)
            for i in range(0, len(y), BATCH)
        ]
    return torch.cat(parts).float()


def _answers(model: nn.Module, grey: Tensor, seeds: range) -> Tensor:
    """One answer a grey picture, with the settings of the page, in its grey."""
    made = []
    for i in range(0, len(grey), BATCH):
        part = grey[i : i + BATCH]
        with fast(model):
            x = model.sample(Noise(seeds[i : i + BATCH]), known(part), colours.COLOURING).float()
        made.append(put_back_in_range(x, part, Grey()))
    return torch.cat(made)
