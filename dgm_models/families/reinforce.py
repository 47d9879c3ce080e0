"""A model of tokens tuned to a reward by policy gradients (REINFORCE: Williams, 1992), with a price on its distance from the model it was
(Ziegler et al., 2019): maximise E[reward] - beta KL(tuned || original).

Rewards may be paid token by token, so each token is judged by what is earned from it on, against what others earn from the same place.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from dgm_models.contracts import SEED_LIMIT, Noise
from dgm_models.families.autoregressive import Autoregressive
from dgm_models.families.strings import Strings
from dgm_models.families.text import TextModel
from dgm_models.probability import log_chosen

BATCH, LENGTH, RATE = 32, 48, 1e-3  # texts a step, tokens made of each where they go on, of Adam


class Game(NamedTuple):
    """What is played for: how a model draws tokens (n, k), the logarithms of the chances of every token in the place of each of those,
    (n, k, tokens and the end), and what each earns, (n, k)."""

    draw: Callable[[Autoregressive, Noise], Tensor]
    chances: Callable[[Autoregressive, Tensor], Tensor]
    pay: Callable[[Tensor], Tensor]


class Tuned(NamedTuple):
    """After so many steps, of the texts drawn in the last one: what one earns, and KL(tuned || original), in nats each."""

    step: int
    reward: float
    distance: float


def twin(model: Autoregressive) -> Autoregressive:
    """A copy of which only the last block learns."""
    made = copy.deepcopy(model).requires_grad_(False)
    made.network.blocks[-1].requires_grad_(True)
    return made


def going_on(prompt: Tensor, pays: Tensor) -> Game:
    """Texts that go on from a prompt (k,) for LENGTH tokens. pays: what each token earns, (tokens and the end,)."""
    start = prompt.expand(BATCH, -1)

    def draw(model: TextModel, noise: Noise) -> Tensor:
        return torch.stack(list(model.continued(start, noise, LENGTH, model.Settings(temperature=1.0, top_p=1.0))), 1)

    def chances(model: TextModel, made: Tensor) -> Tensor:
        tokens = torch.cat([start, made], 1)
        places = torch.arange(start.shape[1], tokens.shape[1]).expand(len(tokens), -1)
        logits = model.network(tokens, model.condition.null(len(tokens)), places).float()
        return logits.index_fill(2, torch.tensor([model.space.end]), -torch.inf).log_softmax(2)

    return Game(draw, chances, lambda made: pays[made])


def whole(worth: Callable[[Tensor], Tensor]) -> Game:
    """Strings that end, drawn freely; worth: what each earns, (n, length) -> (n,), which is paid with its last token."""

    def draw(model: Strings, noise: Noise) -> Tensor:
        return model.sample(noise)

    def chances(model: Strings, made: Tensor) -> Tensor:
        return model.log_chances(made)

    def pay(made: Tensor) -> Tensor:
        paid = torch.zeros(made.shape)
        paid[:, -1] = worth(made)
        return paid

    return Game(draw, chances, pay)


def tune(policy: Autoregressive, model: Autoregressive, game: Game, *, beta: float, steps: int, seed: int) -> Iterator[Tuned]:
    """Train a twin of a model, BATCH texts a step."""
    learner = torch.optim.Adam(policy.network.blocks[-1].parameters(), lr=RATE, betas=(0.9, 0.99))
    for step in range(1, steps + 1):
        made = game.draw(policy, Noise([(seed + BATCH * step + row) % SEED_LIMIT for row in range(BATCH)]))
        with torch.no_grad():
            before = game.chances(model, made)
        now, paid = game.chances(policy, made), game.pay(made)
        with torch.no_grad():
            earned = paid - beta * (log_chosen(now, made) - log_chosen(before, made))
            onward = earned.flip(1).cumsum(1).flip(1)
            distance = (now.exp() * (now - before)).nan_to_num().sum((1, 2)).mean()
        loss = -((onward - onward.mean(0)) * log_chosen(now, made)).mean()
        learner.zero_grad(set_to_none=True)
        loss.backward()
        learner.step()
        yield Tuned(step, float(paid.sum(1).mean()), float(distance))
