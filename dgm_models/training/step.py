"""One step of training: what the command's loop and a tick of the page both call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from dgm_models.contracts import Learner
from dgm_models.training.optimizers import optimizers_of, rate_at

_stream = threading.Lock()  # torch has one random stream for all threads: a step borrows it


class Objective(nn.Module):
    """A player's loss as a forward pass, which is what compilation and data parallelism wrap."""

    def __init__(self, model: nn.Module, player: str, bf16: bool) -> None:
        super().__init__()
        self.model, self.player, self.bf16 = model, player, bf16

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            return self.model.loss(x, y, self.player).float()


class Trainer:
    """Descends on each player's loss, step by step; what it draws comes from a stream of its own, so that nothing else in the process
    changes a run, nor a run anything else.

    `average` is the model with its weights averaged, at any time; `done` counts steps. A model that learns otherwise than by descent
    (`Learner.fit`) takes its own steps.
    """

    def __init__(
        self,
        model: Learner,
        x: Tensor,
        y: Tensor,
        *,
        steps: int,
        batch: int,
        rate: float,
        ema: float = 0.999,
        optimizer: str = "adamw",
        momentum: float = 0.9,
        seed: int = 0,
        compile: bool = False,
        bf16: bool = False,
        prepare: Callable[..., Any] = lambda *parts: parts,
        backward: Callable[[Tensor], None] = Tensor.backward,
    ) -> None:
        """x: as a data set stores it or as the space has it, (n, *shape); y: (n,). The rate is as `rate_at` says; `optimizer` and
        `momentum` are as `optimizers_of` has them; with `bf16` losses run under autocast. `prepare` and `backward` are Accelerate's, where
        that spreads the work."""
        self.model, self.x, self.y, self.steps, self.batch, self.ema = model.train(), x, y, steps, batch, ema
        self.done, self.clips, self._backward = 0, optimizer != "sgd", backward
        self.average = deepcopy(model).requires_grad_(False)
        self._states = [torch.Generator().manual_seed(seed).get_state()]
        if x.device.type == "cuda":
            self._states.append(torch.Generator(x.device).manual_seed(seed).get_state())
        self._own = None if model.descends else model.fit(x, y, steps=steps, seed=seed)
        self.players: dict[str, tuple[nn.Module, list[Any], nn.Module]] = {}
        for name, part in model.players().items() if self._own is None else ():
            both = optimizers_of(part, rate, optimizer, momentum)
            schedules = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: rate_at(step, steps)) for each in both]
            objective, *movers = prepare(Objective(model, name, bf16), *both, *schedules)
            self.players[name] = (torch.compile(objective) if compile else objective, movers, part)

    def step(self) -> dict[str, Tensor]:
        """One step of every player; the loss of each, a scalar. ValueError once all steps are done."""
        if self.done >= self.steps:
            raise ValueError(f"all {self.steps} steps are done")
        if self._own is not None:
            losses = {"model": torch.tensor(next(self._own)[1])}
            self.average.load_state_dict(self.model.state_dict())
        else:
            with self._borrowed_stream():
                losses = self._descend()
        self.done += 1
        return losses

    def _descend(self) -> dict[str, Tensor]:
        picked = torch.randint(0, len(self.x), (self.batch,), device=self.x.device)
        x, y = self.model.space.read(self.x[picked]), self.y[picked]
        self.model.age(self.done / self.steps)
        losses = {}
        for name, (objective, movers, part) in self.players.items():
            if len(self.players) > 1:  # a player's loss is no lesson to the others
                self.model.requires_grad_(False)
                part.requires_grad_(True)
            loss = objective(x, y)
            self._backward(loss)
            if self.clips:
                nn.utils.clip_grad_norm_(part.parameters(), 1.0)
            for mover in movers:  # the optimizers, then their schedules
                mover.step()
            for parameter in part.parameters():
                parameter.grad = None
            losses[name] = loss.detach()
        _follow(self.average, self.model, min(self.ema, (1 + self.done) / (10 + self.done)))
        return losses

    @contextmanager
    def _borrowed_stream(self) -> Iterator[None]:
        """Torch's own random stream stands where this trainer left off, and afterwards where it was before."""
        device = self.x.device
        with _stream:
            others = [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
            self._set(self._states)
            try:
                yield
            finally:
                self._states = [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
                self._set(others)

    def _set(self, states: list[Tensor]) -> None:
        torch.set_rng_state(states[0])
        if len(states) > 1:
            torch.cuda.set_rng_state(states[1], self.x.device)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint of model, optimizers and schedules leaves out."""
        return {"average": self.average.state_dict(), "done": self.done, "streams": self._states}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.average.load_state_dict(state["average"])
        self.done, self._states = state["done"], [each.cpu() for each in state["streams"]]


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Exponential moving average of the weights; what is no weight is taken as it is."""
    pairs = zip(average.parameters(), model.parameters(), strict=True)
    slow, fast = zip(*pairs, strict=True)
    torch._foreach_lerp_(slow, [p.detach() for p in fast], 1 - decay)
    for kept, now in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(now)
