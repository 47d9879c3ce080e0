"""The loop around the step: laptop, one GPU, or `accelerate launch` over many machines, with checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dgm_models.contracts import Learner
from dgm_models.networks import channels_last
from dgm_models.training.step import Trainer


@dataclass(frozen=True)
class Progress:
    """What the loop reports: step of steps, the mean loss of each player since the last report, seconds a step."""

    step: int
    steps: int
    losses: dict[str, float]
    seconds_a_step: float

    def __str__(self) -> str:
        losses = "  ".join(f"{name} {value:.4f}" for name, value in self.losses.items())
        return f"step {self.step}/{self.steps}  {losses}  {self.seconds_a_step:.3f} s/step"


def train(
    model: Learner,
    x: Tensor,
    y: Tensor,
    *,
    seed: int = 0,
    folder: Path | None = None,
    report_every: int = 100,
    checkpoint_every: int = 1000,
    **options: Any,
) -> Iterator[Progress]:
    """Take all steps; yields Progress, and leaves the averaged weights in `model`, in evaluation mode.

    `options` are those of `Trainer`. With a folder it writes checkpoints there and resumes from them.
    """
    from accelerate import Accelerator, DistributedDataParallelKwargs

    several = DistributedDataParallelKwargs(find_unused_parameters=len(model.players()) > 1)  # one player's loss leaves the others out
    accelerator = Accelerator(cpu=not model.descends, step_scheduler_with_optimizer=False, kwargs_handlers=[several])
    x, y = x.to(accelerator.device), y.to(accelerator.device)
    model.to(accelerator.device)
    if accelerator.device.type == "cuda":
        channels_last(model)
    wraps = {"prepare": accelerator.prepare, "backward": accelerator.backward}
    trainer = Trainer(model, x, y, seed=seed + accelerator.process_index, **wraps, **options)
    accelerator.register_for_checkpointing(trainer)
    if folder and (folder / "state").is_dir():
        accelerator.load_state(str(folder / "state"))
    totals, began = torch.zeros(max(1, len(trainer.players)), device=x.device), time.perf_counter()
    while trainer.done < trainer.steps:
        losses = trainer.step()
        totals += torch.stack(list(losses.values())).to(x.device)  # read only where it is reported: a GPU need not wait for it
        if trainer.done % report_every == 0 or trainer.done == trainer.steps:
            count = (trainer.done - 1) % report_every + 1
            means = dict(zip(losses, (totals / count).tolist(), strict=True))
            yield Progress(trainer.done, trainer.steps, means, (time.perf_counter() - began) / count)
            totals, began = torch.zeros_like(totals), time.perf_counter()
        if folder and (trainer.done % checkpoint_every == 0 or trainer.done == trainer.steps) and accelerator.is_main_process:
            accelerator.save_state(str(folder / "state"))
    model.load_state_dict(trainer.average.state_dict())
    model.eval()
