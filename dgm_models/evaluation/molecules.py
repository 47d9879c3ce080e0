"""What models of molecules are measured with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dgm_models import catalog
from dgm_models.applications.molecules import shares, ships_whole
from dgm_models.conditions import Numbers
from dgm_models.contracts import Noise
from dgm_models.evaluation.material import SHEETS, held_out
from dgm_models.families.graph_gflownet import GraphGFlowNet
from dgm_models.families.string_vae import StringVAE
from dgm_models.families.strings import Strings
from dgm_models.modalities import graph, image
from dgm_models.modalities.molecule import PROPERTIES, canonical, goals, picture, properties

Scores = dict[str, Any]
DRAWN, ASKED, PART, COUNTED = 10_000, 2000, 500, 4


def validity(id: str, model: nn.Module, draws: int = DRAWN) -> Scores:
    """Of 10,000 draws at temperature 1, without a wish: the shares that are molecules, different ones, and ones not learned from. Of a data
    set that is not QM9 a thousand, and no word on what is new. A sheet of the first 64."""
    whole = ships_whole(catalog.dataset(id).id)
    draws = draws if whole else draws // 10
    made = [text for seeds in torch.arange(draws).split(PART) for text in _drawn(id, model, seeds, None)]
    keep_molecules(id, made[:64])
    found = shares(made)
    share = {name: getattr(found, name) / draws for name in ("valid", "unique", *(["new"] if whole else []))}
    return {**share, "molecules_drawn": draws}


def keep_molecules(id: str, texts: list[str]) -> None:
    """A contact sheet in assets/sheets: eight in a row, an empty place where there is no molecule."""
    (SHEETS / f"{id}-samples.png").write_bytes(image.png(picture(texts, 8)))


def strings(id: str, model: nn.Module) -> Scores:
    """-log p of held-out strings, their end included, a letter."""
    if not isinstance(model, Strings):
        return {}
    x = held_out(catalog.recipe(id).data)[0]
    letters = int((x != model.space.end).sum()) + len(x)
    return {"nats_letter": -float(sum(model.log_prob(part).sum() for part in x.split(PART))) / letters}


def asked(id: str, model: nn.Module, draws: int = ASKED) -> Scores:
    """Molecules drawn with the properties of held-out ones as their wish: the correlation of what was asked for and what was measured, of
    each property, among the valid ones."""
    if not isinstance(model, Strings) or not isinstance(model.condition, Numbers):
        return {}
    wish = held_out(catalog.recipe(id).data)[1][:draws]
    parts = zip(torch.arange(draws).split(PART), wish.split(PART), strict=True)
    made = [text for seeds, some in parts for text in _drawn(id, model, seeds, some)]
    there = [at for at, text in enumerate(made) if canonical(text)]
    measured = torch.tensor([properties(made[at]) for at in there])
    pairs = torch.stack([wish[there], measured]).permute(2, 0, 1)
    names = [f"asked_{name.replace(' ', '_').lower()}" for name in PROPERTIES]
    return {**{name: float(torch.corrcoef(pair)[0, 1]) for name, pair in zip(names, pairs, strict=True)}, "asked_valid": len(there) / draws}


def recovered(id: str, model: nn.Module) -> Scores:
    """Of 2,000 held-out molecules that were encoded: the share that decode to the same."""
    if not isinstance(model, StringVAE):
        return {}
    x = held_out(catalog.recipe(id).data)[0][:ASKED]
    again = torch.cat([model.decode(model.encode(some)) for some in x.split(PART)])
    pairs = zip(catalog.write(id, x), catalog.write(id, again), strict=True)
    return {"recovered": sum(one == other for one, other in pairs) / len(x), "recovered_molecules": len(x)}


def balance(id: str, model: nn.Module) -> Scores:
    """Of all molecules with at most four heavy atoms that can be built: the correlation of log p, summed over every way, and log reward,
    for each goal, wished for and against, and five mixtures; the mean and the worst of these."""
    if not isinstance(model, GraphGFlowNet):
        return {}
    x, ways = all_of(model, COUNTED)
    names, found = len(model.condition.names), []
    reached = torch.tensor([goals(text) for text in catalog.write(id, x[1:])])
    mixed = 2 * torch.rand(5, names, generator=torch.Generator().manual_seed(0)) - 1
    for wish in torch.cat([torch.eye(names), -torch.eye(names), mixed]):
        log_p = chances(model, x, ways, wish[None])[1:].float()
        log_r = model.log_reward(model.labels(wish[None], 1), reached)
        found.append(float(torch.corrcoef(torch.stack([log_p, log_r]))[0, 1]))
    return {"balance": sum(found) / len(found), "balance_worst": min(found), "balance_molecules": len(x) - 1}


def _drawn(id: str, model: nn.Module, seeds: Tensor, y: Tensor | None) -> list[str]:
    plain = {name: 1.0 for name in ("temperature", "top_p", "guidance_scale") if name in model.Settings.knobs()}
    return catalog.write(id, model.sample(Noise(seeds.tolist()), y, model.Settings(**plain)))


# molecules that can be counted ----------------------------------------------------------------------------------------


def all_of(model: GraphGFlowNet, atoms: int) -> tuple[Tensor, Tensor]:
    """Every molecule that a network can build with so many atoms at most, nothing at all first: (m, *shape); and how it gets from one to
    another, each way once: rows of the two numbers and the action, (ways, 3), in an order in which what leads to one stands before it."""
    space, ways = model.space, []
    found, layer = [torch.zeros(space.shape, dtype=torch.long)], {0}
    place = {"": 0}
    while layer:
        known, layer = sorted(layer), set()
        elements, bonds = space.split(torch.stack([found[at] for at in known]))
        row, action = model.allowed(elements, bonds).nonzero().T
        row, action = row[action > 0], action[action > 0]
        made = space.join(*model.after(elements[row], bonds[row], action))
        small = (made[:, : space.atoms] > 0).sum(1) <= atoms
        for parent, taken, child in zip(row[small].tolist(), action[small].tolist(), made[small], strict=True):
            name = graph.as_built(space, child)
            if name not in place:
                place[name] = len(found)
                found.append(child)
                layer.add(place[name])
            ways.append((known[parent], place[name], taken))
    return torch.stack(found), torch.tensor(ways)


@torch.no_grad()
def chances(model: GraphGFlowNet, x: Tensor, ways: Tensor, y: Tensor | None = None) -> Tensor:
    """log p(x | y) of all of them, exact, summed over every way, (m,); y: of one row. -inf for nothing at all."""
    given = model.labels(None if y is None else y.expand(len(x), -1), len(x))
    policy = torch.cat([model.log_policy(*model.space.split(some), g) for some, g in zip(x.split(PART), given.split(PART), strict=True)])
    policy = policy.double().exp()
    reached = torch.zeros(len(x), dtype=torch.double)
    reached[0] = 1
    for parent, child, action in ways.tolist():
        reached[child] += reached[parent] * policy[parent, action]
    return (reached * policy[:, 0]).log()
