"""How well pictures show what captions say, and translations what they should; captions are of combinations that no stage learned from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dgm_models import catalog
from dgm_models.applications import text_to_image as t
from dgm_models.applications import translating, years
from dgm_models.data import avatars, captions, mnist, usps
from dgm_models.evaluation import metrics
from dgm_models.evaluation.material import held_out, keep_sheet, share
from dgm_models.families.contrastive import Contrastive
from dgm_models.families.cycle import Cycle
from dgm_models.families.prior import Prior
from dgm_models.families.reader import AttributeReader, Reader
from dgm_models.families.stages import Upsampler
from dgm_models.modalities import caption
from dgm_models.modalities.avatar import enlarged
from dgm_models.modalities.caption import is_held_out
from dgm_models.training.loop import train

Scores = dict[str, Any]
TOLD, PART, AMONG = 400, 10, 100  # scenes that are made; pictures at once; captions among which the right one is looked for
SCENES, FACES = 1_000, 200


def attributes(id: str, model: nn.Module) -> Scores:
    """The judge itself on held-out scenes and faces: the mean of attributes that it reads right, and the worst."""
    if not isinstance(model, AttributeReader):
        return {}
    x, rows = held_out(catalog.recipe(id).data)
    found = torch.cat([t.read(part) for part in x.split(250)])
    right = list(_right(rows, found).values())
    return {"accuracy": sum(right) / len(right), "worst_attribute": min(right)}


def retrieved(id: str, model: nn.Module) -> Scores:
    """1,000 scenes in held-out combinations: how often the nearest of 100 pictures to a caption is its own, and of 100 captions to a
    picture."""
    if not isinstance(model, Contrastive):
        return {}
    x, rows = (each[:SCENES] for each in held_out(catalog.recipe(id).data))
    seen, heard = torch.cat([model.look(part) for part in x.split(250)]), model.hear([caption.caption(row) for row in rows])
    hits: dict[str, list[Tensor]] = {"picture": [], "caption": []}
    for one, other in zip(seen.split(AMONG), heard.split(AMONG), strict=True):
        alike = one @ other.T
        hits["caption"].append(alike.argmax(1) == torch.arange(len(one)))
        hits["picture"].append(alike.argmax(0) == torch.arange(len(one)))
    return {"retrieved_of": len(x), **{f"right_{name}_of_100": share(torch.cat(each)) for name, each in hits.items()}}


def imagined(id: str, model: nn.Module) -> Scores:
    """Embeddings drawn for captions of held-out combinations, 1,000 of scenes and 200 of faces: how often the nearest of 100 captions of
    that kind is the one that they were drawn for."""
    if not isinstance(model, Prior):
        return {}
    heard = t.hear([caption.caption(row) for row in _untold(SCENES)])
    prior = next(name for name, each in t.PRIORS.items() if each == id)
    z = torch.cat([t.drawn_embeddings(part, range(i * 250, i * 250 + len(part)), prior)[0] for i, part in enumerate(heard.split(250))])
    hits = [(one @ other.T).argmax(1) == torch.arange(len(one)) for one, other in zip(z.split(AMONG), heard.split(AMONG), strict=True)]
    own = (z * heard).sum(1).mean()
    return {"imagined": len(z), "right_caption_of_100": share(torch.cat(hits)), "cosine_of_z_and_text": float(own)}


def shown(id: str, model: nn.Module) -> Scores:
    """Pictures of 64 x 64 for captions of held-out combinations, 400 of scenes and 200 of faces, through all stages, as the judge reads
    them: the mean of attributes right, the worst one, all right at once. A sheet of 60, and of their 16 x 16."""
    if not isinstance(model, Upsampler) or id != t.UPSAMPLERS[-1]:
        return {}
    rows, made, small = _untold(TOLD), [], []
    for i, some in enumerate(rows.split(PART)):
        drawn = t.draw(t.hear([caption.caption(row) for row in some]), 1000 * i)
        made.append(drawn.pictures[-1])
        small.append(drawn.pictures[0])
    x, first = torch.cat(made), torch.cat(small)
    picked = torch.linspace(0, len(x) - 1, 60).long()
    keep_sheet(f"{id}-samples", x[picked], 10)
    keep_sheet(f"{t.DECODER}-samples", first[picked], 10)
    found = torch.cat([t.read(part) for part in x.split(250)])
    by_name = _right(rows, found)
    everything = ((found == rows) | (rows == caption.UNSAID)).all(1)
    worst = min(by_name, key=by_name.get)
    scores: Scores = {"told_captions": len(x), "told_right": sum(by_name.values()) / len(by_name), "told_all": share(everything)}
    return scores | {
        "told_worst": by_name[worst],
        "told_worst_attribute": worst,
        **{f"told_{name}": value for name, value in by_name.items()},
    }


def translated(id: str, model: nn.Module) -> Scores:
    """The held-out emoji both ways: how often the nearest emoji of the other style, pixel by pixel, is the true partner, untranslated and
    by chance too; how often the judge of style takes the translation for the other style; what is lost there and back. A sheet of 24."""
    if isinstance(model, Reader):
        x, style = held_out(catalog.recipe(id).data)
        return {"accuracy": share(model.probabilities(x).argmax(1) == style)}
    both, scores = translating.pairs(), {}
    for to, way in ((1, "there"), (0, "back")):
        made = translating.there_and_back(id, both[1 - to], to)
        scores[f"partner_{way}"] = translating.nearest_is_partner(made.y, both[to])
        scores[f"partner_{way}_untranslated"] = translating.nearest_is_partner(both[1 - to], both[to])
        scores[f"style_{way}"] = share(translating.taken_for(made.y, to) > 0.5)
        scores[f"lost_{way}"] = float((made.back - made.x).abs().mean())
        if to:
            picked = torch.linspace(0, len(made.x) - 1, 24).long()
            keep_sheet(f"{id}-translated", torch.cat([made.x[picked], made.y[picked], both[to][picked]]), 24)
    return {"translated_pairs": len(both[0]), "partner_chance": 1 / len(both[0]), **scores}


def hands(id: str, model: nn.Module) -> Scores:
    """2,007 test digits of MNIST as USPS's: how often a classifier of USPS reads the label that they had; how often a classifier that is
    taught half of the translations and half of the real ones tells the other halves apart. A sheet of 24."""
    if not isinstance(model, Cycle):
        return {}
    data = catalog.dataset(id)
    x, hand = held_out(data.id)
    labels = mnist.test()[1][: int((hand == 0).sum())]
    made = torch.cat([translating.there_and_back(id, part, 1).y for part in x[hand == 0].split(500)])
    untranslated = _read_as(x[hand == 0], labels)
    keep_sheet(f"{id}-translated", torch.cat([x[hand == 0][:24], made[:24], x[hand == 1][:24]]), 24)
    told = _told_apart(made, x[hand == 1])
    return {"hands": len(made), "label_kept": _read_as(made, labels), "label_untranslated": untranslated, "told_from_real": told}


def _read_as(x: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return share(torch.cat([catalog.load(translating.LABEL).probabilities(part) for part in x.split(500)]).argmax(1) == labels)


def _told_apart(made: Tensor, real: Tensor) -> float:
    """Of a fresh classifier, taught on every other picture of both kinds, how often it is right on the rest."""
    with torch.random.fork_rng(devices=[]):  # the weights that it starts from are the same each time, and nobody else's stream moves
        torch.set_rng_state(torch.Generator().manual_seed(0).get_state())
        model = Reader(usps.BOTH.space, classes=2, width=32, jitter=0.3)
    x, y = torch.cat([made[::2], real[::2]]), torch.cat([torch.zeros(len(made[::2])), torch.ones(len(real[::2]))]).long()
    for _ in train(model, x, y, steps=600, batch=64, rate=2e-3, ema=0.98):
        pass
    rest = [(each[1::2], kind) for kind, each in enumerate((made, real))]
    with torch.no_grad():
        right = [share(torch.cat([model.probabilities(part) for part in each.split(500)]).argmax(1) == kind) for each, kind in rest]
    return sum(right) / 2


def faces(id: str, model: nn.Module) -> Scores:
    """1,000 faces against the 1,000 held-out ones, in the features of the judge of captions: Frechet distance, and that of 1,000 training
    faces. A sheet of 40."""
    features = lambda x: torch.cat([catalog.load(t.READER).features(enlarged(part, captions.SIDE)) for part in x.split(250)])  # noqa: E731
    year = next(each for each in years.YEARS if years.id_of(each) == id)
    seeds = range(0, 1000, 50)
    made = torch.cat([years.faces(year, 10_000 + seed, 50).x for seed in seeds])
    keep_sheet(f"{id}-samples", made[:40], 10)
    space = catalog.dataset(id).space
    with torch.no_grad():
        real, other, drawn = (features(x) for x in (held_out("avatars")[0], space.read(avatars.told_train()[0][: len(made)]), made))
    distance, floor = metrics.frechet(real, drawn), metrics.frechet(real, other)
    return {"distance_draws": len(made), "frechet": distance, "frechet_floor": floor, "frechet_ratio": distance / floor}


def _untold(scenes: int) -> Tensor:
    """What is said of so many of the held-out scenes, and of FACES faces, all of it in combinations that no model has seen."""
    of_scenes = held_out(catalog.dataset(t.ENCODER).id)[1][:scenes]
    stream, rows = torch.Generator().manual_seed(0), torch.full((20 * FACES, len(caption.NAMES)), caption.UNSAID)
    rows[:, 0] = tuple(caption.KINDS).index("face")
    for at in caption.OF["face"]:
        rows[:, at] = torch.randint(0, len(caption.ATTRIBUTES[caption.NAMES[at]]), (len(rows),), generator=stream)
    return torch.cat([of_scenes, rows[is_held_out(rows)][:FACES]])


def _right(rows: Tensor, found: Tensor) -> dict[str, float]:
    """Of each attribute beside the kind, the share of pictures of which it is said that are read so."""
    said = {name: (at, rows[:, at] != caption.UNSAID) for at, name in enumerate(caption.NAMES) if at}
    return {name: share(found[some, at] == rows[some, at]) for name, (at, some) in said.items() if some.any()}
