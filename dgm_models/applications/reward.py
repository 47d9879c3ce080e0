"""A reward for a text model: what is paid for, and what a model learns and loses while it is tuned to be paid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.language import GPT
from dgm_models.contracts import Frame, Noise, Settings, check_seed, knob
from dgm_models.families.reinforce import BATCH, LENGTH, Tuned, going_on, tune, twin
from dgm_models.families.text import TextModel, TextSettings
from dgm_models.spaces import Tokens
from dgm_models.turns import pause

REWARDS = {"no letter e": ("eE", -1.0), "questions": ("?", 1.0), "short lines": ("\n", 1.0)}  # for each of these letters
START, SHOWN, LONG, EVERY = "\n\n", 3, 80, 5  # before a text; texts that are shown, of so many letters, after so many steps


@dataclass(frozen=True)
class RewardSettings(Settings):
    """Of the tuning."""

    beta: float = knob(0.1, "KL weight β", 0.0, 3.0, step=0.05, help="what a nat of distance from the model as it was costs")
    steps: int = knob(30, "Steps", 5, 60, step=5, help=f"of {BATCH} texts each")


@dataclass(frozen=True)
class Lesson:
    """While a model is tuned: each step's report so far, a token, and the same texts (SHOWN, length) before, and after every few steps."""

    reports: list[Tuned]
    frames: list[Frame]
    over: bool


def pay(space: Tokens, reward: str) -> Tensor:
    """What each token earns, (tokens and the end,). ValueError for a reward that is none."""
    if reward not in REWARDS:
        raise ValueError(f"Reward: expected one of {', '.join(REWARDS)}, got {str(reward)[:40]!r}")
    letters, each = REWARDS[reward]
    return torch.tensor([each * sum(token.count(letter) for letter in letters) for token in space.alphabet] + [0.0])


def tuned(reward: str, seed: int, settings: RewardSettings) -> Iterator[Lesson]:
    """A model of Shakespeare's letters, tuned here and now."""
    model = catalog.open_for("sample", GPT).model
    policy, paid = twin(model), pay(model.space, reward)
    game = going_on(torch.tensor(model.space.split(START)), paid)
    reports: list[Tuned] = []
    frames = [_frame(model, model, paid, seed)]
    yield Lesson([], list(frames), over=False)
    for report in tune(policy, model, game, beta=settings.beta, steps=settings.steps, seed=check_seed(seed)):
        pause()
        reports.append(report._replace(reward=report.reward / LENGTH, distance=report.distance / LENGTH))
        over = report.step == settings.steps
        if report.step % EVERY == 0 or over:
            frames.append(_frame(policy, model, paid, seed, report))
        yield Lesson(list(reports), list(frames), over)


def _frame(policy: TextModel, model: TextModel, paid: Tensor, seed: int, report: Tuned | None = None) -> Frame:
    """Texts of one seed by the model as it is now; what they earn, and what they cost the model as it was."""
    start = torch.tensor([model.space.split(START)] * SHOWN)
    noise = Noise(seeds_from(seed, SHOWN))
    drawn = torch.stack(list(policy.continued(start, noise, LONG, TextSettings())), 1)
    nats = model.surprise(torch.cat([start, drawn], 1))[:, start.shape[1] :].mean()
    when = f"step {report.step}" if report else "before"
    earned = 100 * float(paid[drawn].mean())
    return Frame(drawn, f"{when}: 100 letters earn {earned:.1f}, and cost the model as it was {nats:.2f} nats each")
