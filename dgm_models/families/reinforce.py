"""A text model tuned to a reward by policy gradients (REINFORCE: Williams, 1992), with a price on its distance from the model it was
(Ziegler et al., 2019): maximise E[reward] - beta KL(tuned || original).

Rewards are paid letter by letter, so each token is judged by what is earned from it on, against what other texts earn from the same place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from dgm_models.contracts import SEED_LIMIT, Noise
from dgm_models.families.text import TextModel
from dgm_models.probability import log_chosen

BATCH, LENGTH, RATE = 32, 48, 1e-3  # texts a step, tokens made of each, of Adam


class Tuned(NamedTuple):
    """After so many steps, of the texts drawn in the last one: what a token earns, and KL(tuned || original), in nats a token."""

    step: int
    reward: float
    distance: float


def twin(model: TextModel) -> TextModel:
    """A copy of which only the last block learns."""
    made = copy.deepcopy(model).requires_grad_(False)
    made.network.blocks[-1].requires_grad_(True)
    return made


def tune(policy: TextModel, model: TextModel, pay: Tensor, prompt: Tensor, *, beta: float, steps: int, seed: int) -> Iterator[Tuned]:
    """Train a twin of a model on texts that go on from a prompt (k,). pay: what each token earns, (tokens and the end,)."""
    learner = torch.optim.Adam(policy.network.blocks[-1].parameters(), lr=RATE, betas=(0.9, 0.99))
    start, settings = prompt.expand(BATCH, -1), policy.Settings(temperature=1.0, top_p=1.0)
    for step in range(1, steps + 1):
        noise = Noise([(seed + BATCH * step + row) % SEED_LIMIT for row in range(BATCH)])
        made = torch.stack(list(policy.continued(start, noise, LENGTH, settings)), 1)
        with torch.no_grad():
            before = _chances(model, start, made)
        now = _chances(policy, start, made)
        with torch.no_grad():
            earned = pay[made] - beta * (log_chosen(now, made) - log_chosen(before, made))
            onward = earned.flip(1).cumsum(1).flip(1)
            distance = (now.exp() * (now - before)).nan_to_num().sum(2).mean()
        loss = -((onward - onward.mean(0)) * log_chosen(now, made)).mean()
        learner.zero_grad(set_to_none=True)
        loss.backward()
        learner.step()
        yield Tuned(step, float(pay[made].mean()), float(distance))


def _chances(model: TextModel, start: Tensor, made: Tensor) -> Tensor:
    """log p of every token in the place of each that was made, (n, LENGTH, tokens and the end)."""
    tokens = torch.cat([start, made], 1)
    places = torch.arange(start.shape[1], tokens.shape[1]).expand(len(tokens), -1)
    logits = model.network(tokens, model.condition.null(len(tokens)), places).float()
    return logits.index_fill(2, torch.tensor([model.space.end]), -torch.inf).log_softmax(2)
