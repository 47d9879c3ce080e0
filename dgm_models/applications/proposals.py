"""What models propose for one reward: one makes the most of it, one draws in proportion to it, one does not know it, and that one can be
tuned to it here and now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.molecules import GPT, Drawn, Shares, drawn, shares, unlike
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Frame, Noise, Settings, check_seed, knob
from dgm_models.families.reinforce import BATCH, Tuned, tune, twin, whole
from dgm_models.families.strings import Strings
from dgm_models.modalities.molecule import GOALS, PROPERTIES, canonical, goals, properties
from dgm_models.turns import pause

MAXIMISE, BEFORE, IN_PROPORTION = "molgan-qm9", "molgan-early-qm9", "gflownet-qm9"
HEED = {IN_PROPORTION: "in proportion", MAXIMISE: "maximise, collapsed", GPT: "does not know the reward"}
COUNT, STAGES = 64, 4  # molecules a model; how often a tuned one is looked at


@dataclass(frozen=True)
class Proposed:
    """What a model drew; and of the molecules among that what each is worth, (k,), its properties, (k, 3), and how unlike they are."""

    drawn: Drawn
    strings: list[str]
    worth: Tensor
    properties: Tensor
    shares: Shares
    unlike: float


def proposed(id: str, weights: Sequence[float], seed: int) -> Proposed:
    """COUNT molecules of a model for goals of these weights, each from -1 to 1, in the order of GOALS. ValueError for one out of range."""
    settings = catalog.family(id).Settings(temperature=1.0)
    return _looked_at(drawn(id, COUNT, seed, settings, None if id == GPT else weights), weights)


def _looked_at(made: Drawn, weights: Sequence[float]) -> Proposed:
    strings = [text for text in map(canonical, made.smiles) if text]
    worth = torch.tensor([_worth(text, tuple(weights)) for text in strings])
    known = torch.tensor([properties(text) for text in strings]).view(-1, len(PROPERTIES))
    return Proposed(made, strings, worth, known, shares(made.smiles), unlike(strings))


# tuned to it ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PolicySettings(Settings):
    """Of the tuning."""

    beta: float = knob(0.0, "KL weight β", 0.0, 0.5, step=0.01, help="what a nat of distance from the model as it was costs")
    steps: int = knob(40, "Steps", 4, 80, step=4, help=f"of {BATCH} molecules each")


@dataclass(frozen=True)
class Policy:
    """While a model is tuned: each step's report so far; and what it proposed before and after each part of the steps, with how many those
    were."""

    reports: list[Tuned]
    stages: list[tuple[int, Proposed]]
    over: bool


def tuned(weights: Sequence[float], seed: int, settings: PolicySettings) -> Iterator[Policy]:
    """The GPT of QM9, tuned to a reward by policy gradients; what is no molecule earns the least that one could. ValueError for a weight
    out of range."""
    if len(weights) != len(GOALS) or not all(-1 <= weight <= 1 for weight in weights):
        raise ValueError(f"Reward: expected {len(GOALS)} weights from -1 to 1, got {list(weights)}")
    model, kept = catalog.open_for("sample", GPT).model, tuple(weights)
    policy = twin(model)
    least = sum(min(0.0, weight) for weight in kept)
    game = whole(lambda made: torch.tensor([_worth(text, kept) if canonical(text) else least for text in catalog.write(GPT, made)]))
    stages, reports = [(0, _stage(policy, kept, seed))], []
    yield Policy([], list(stages), over=False)
    for report in tune(policy, model, game, beta=settings.beta, steps=settings.steps, seed=check_seed(seed)):
        pause()
        reports.append(report)
        if report.step * STAGES // settings.steps > (report.step - 1) * STAGES // settings.steps:
            stages.append((report.step, _stage(policy, kept, seed)))
        yield Policy(list(reports), list(stages), over=report.step == settings.steps)


def _stage(policy: Strings, weights: Sequence[float], seed: int) -> Proposed:
    """COUNT molecules of one seed by the model as it is now."""
    with measured(catalog.open_for("sample", GPT), catalog.recipe(GPT).title, seed, COUNT) as receipt:
        x = policy.sample(Noise(seeds_from(seed, COUNT)))
    return _looked_at(Drawn(GPT, [Frame(x, "")], catalog.write(GPT, x), None, receipt), weights)


def _worth(smiles: str, weights: tuple[float, ...]) -> float:
    return sum(weight * reached for weight, reached in zip(weights, goals(smiles), strict=True))
