"""What models of molecules are measured with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dgm_models import catalog
from dgm_models.applications.molecules import shares
from dgm_models.contracts import Noise
from dgm_models.evaluation.material import held_out
from dgm_models.families.strings import Strings, StringSettings
from dgm_models.modalities.molecule import PROPERTIES, canonical, properties
from dgm_models.modalities.text import words

Scores = dict[str, Any]
DRAWN, ASKED, PART = 10_000, 2000, 500


def validity(id: str, model: nn.Module, draws: int = DRAWN) -> Scores:
    """Of 10,000 strings at temperature 1, without a wish: the shares that are molecules, different ones, and ones not learned from."""
    if not isinstance(model, Strings):
        return {}
    found = shares([text for seeds in torch.arange(draws).split(PART) for text in _drawn(model, seeds, None)])
    share = {name: getattr(found, name) / draws for name in ("valid", "unique", "new")}
    return {**share, "molecules_drawn": draws}


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
    if not isinstance(model, Strings):
        return {}
    wish = held_out(catalog.recipe(id).data)[1][:draws]
    parts = zip(torch.arange(draws).split(PART), wish.split(PART), strict=True)
    made = [text for seeds, some in parts for text in _drawn(model, seeds, some)]
    there = [at for at, text in enumerate(made) if canonical(text)]
    measured = torch.tensor([properties(made[at]) for at in there])
    pairs = torch.stack([wish[there], measured]).permute(2, 0, 1)
    names = [f"asked_{name.replace(' ', '_').lower()}" for name in PROPERTIES]
    return {**{name: float(torch.corrcoef(pair)[0, 1]) for name, pair in zip(names, pairs, strict=True)}, "asked_valid": len(there) / draws}


def _drawn(model: Strings, seeds: Tensor, y: Tensor | None) -> list[str]:
    return words(model.space, model.sample(Noise(seeds.tolist()), y, StringSettings(temperature=1.0, top_p=1.0, guidance_scale=1.0)))
