"""One training loop for every model: laptop, one GPU, or `accelerate launch` over many machines."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from dgm_models.networks import channels_last


@dataclass(frozen=True)
class Progress:
    """What the loop reports: step of steps, the mean loss of each player since the last report, seconds a step."""

    step: int
    steps: int
    losses: dict[str, float]
    seconds_a_step: float


class KernelMuon(torch.optim.Optimizer):
    """Muon (Jordan et al., 2024) for kernels of any shape: each is updated as the matrix (out, everything else) that it is.

    Steps are sized as AdamW's would be (Liu et al., 2025), so that both take the same rate. torch's own Muon multiplies in
    bf16, which took 1.6 s a step where a CPU has to emulate it and the forward and backward passes took 0.8 s.
    """

    def __init__(self, kernels: list[nn.Parameter], rate: float, momentum: float = 0.95, weight_decay: float = 0.01) -> None:
        super().__init__(kernels, {"lr": rate, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for kernel in group["params"]:
                running = self.state[kernel].setdefault("momentum", torch.zeros_like(kernel))
                running.lerp_(kernel.grad, 1 - group["momentum"])
                ahead = kernel.grad.lerp(running, group["momentum"]).flatten(1)
                size = 0.2 * max(ahead.shape) ** 0.5 * group["lr"]
                kernel.mul_(1 - group["lr"] * group["weight_decay"])
                kernel.sub_(orthogonal(ahead).view_as(kernel), alpha=size)


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the orthogonal factor U V^T of a matrix U S V^T, by five Newton-Schulz steps (Jordan et al., 2024)."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide.to(torch.bfloat16) if multiplies_bf16() else wide
    wide = wide / wide.norm().clamp_min(1e-7)
    for _ in range(5):
        gram = wide @ wide.T
        wide = 3.4445 * wide + (2.0315 * gram @ gram - 4.775 * gram) @ wide
    return (wide if matrix.shape[0] <= matrix.shape[1] else wide.T).to(matrix.dtype)


def multiplies_bf16() -> bool:
    """Whether the hardware multiplies matrices in bf16: a CPU that has to emulate it is twenty times slower."""
    return torch.cuda.is_available() or bool(torch.cpu.get_capabilities().get("amx_bf16"))


OPTIMIZERS = ("adamw", "muon", "sgd")


def optimizers_of(part: nn.Module, rate: float, optimizer: str, momentum: float = 0.9) -> list[torch.optim.Optimizer]:
    """AdamW for all; or "muon" for the kernels of the repeated blocks (those inside an nn.ModuleList) and AdamW for the rest; or
    plain "sgd", unclipped: 3,000 steps of it brought an RBM to 100 nats a digit, the best of AdamW's to 109."""
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"expected an optimizer of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    if optimizer == "sgd":
        return [torch.optim.SGD(part.parameters(), lr=rate)]
    repeated = {
        name
        for name, parameter in part.named_parameters()
        if optimizer == "muon" and parameter.dim() > 1 and any(word.isdigit() for word in name.split("."))
    }
    inner = [parameter for name, parameter in part.named_parameters() if name in repeated]
    outer = [parameter for name, parameter in part.named_parameters() if name not in repeated]
    adam = torch.optim.AdamW(outer, lr=rate, betas=(momentum, 0.99), weight_decay=0.01)
    return [adam, KernelMuon(inner, rate)] if inner else [adam]


class Objective(nn.Module):
    """A player's loss as a forward pass, which is what compilation and data parallelism wrap."""

    def __init__(self, model: nn.Module, player: str, bf16: bool) -> None:
        super().__init__()
        self.model, self.player, self.bf16 = model, player, bf16

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            return self.model.loss(x, y, self.player).float()


def train(
    model: nn.Module,
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
    folder: Path | None = None,
    compile: bool = False,
    bf16: bool = False,
    report_every: int = 100,
    checkpoint_every: int = 1000,
) -> Iterator[Progress]:
    """Descend on each player's loss; yields Progress, and leaves the averaged weights in `model`.

    x: uint8 levels (divided by 255) or floats, (n, *shape); y: (n,) int64. With a folder it writes checkpoints there
    and resumes from them. The rate warms up over 2 % of the steps and falls as a cosine to 1 % of itself. `optimizer` is as
    `optimizers_of` has it, and `momentum` AdamW's first beta. With `bf16` the losses run under autocast.
    """
    from accelerate import Accelerator, DistributedDataParallelKwargs
    from accelerate.utils import set_seed

    several = DistributedDataParallelKwargs(find_unused_parameters=len(model.players()) > 1)  # one player's loss leaves the others out
    accelerator = Accelerator(step_scheduler_with_optimizer=False, kwargs_handlers=[several])
    set_seed(seed + accelerator.process_index)
    x, y = x.to(accelerator.device), y.to(accelerator.device)
    model.to(accelerator.device).train()
    if accelerator.device.type == "cuda":
        channels_last(model)
    average = deepcopy(model).requires_grad_(False)
    players = {}
    for name, part in model.players().items():
        both = optimizers_of(part, rate, optimizer, momentum)
        schedules = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: _rate_at(step, steps)) for each in both]
        objective, *movers = accelerator.prepare(Objective(model, name, bf16), *both, *schedules)
        players[name] = (torch.compile(objective) if compile else objective, movers, part)
    accelerator.register_for_checkpointing(average_state := _State(average))

    first = 0
    if folder and (folder / "progress.json").is_file():
        accelerator.load_state(str(folder / "state"))
        first = json.loads((folder / "progress.json").read_text(encoding="utf-8"))["step"]
    totals, began = torch.zeros(len(players), device=x.device), time.perf_counter()
    for step in range(first, steps):
        picked = torch.randint(0, len(x), (batch,), device=x.device)
        batch_x, batch_y = x[picked], y[picked]
        if batch_x.dtype == torch.uint8:
            batch_x = batch_x.float() / 255
        model.age(step / steps)
        losses = []
        for objective, movers, part in players.values():
            if len(players) > 1:  # a player's loss is no lesson to the others
                model.requires_grad_(False)
                part.requires_grad_(True)
            loss = objective(batch_x, batch_y)
            accelerator.backward(loss)
            if optimizer != "sgd":
                accelerator.clip_grad_norm_(part.parameters(), 1.0)
            for mover in movers:  # the optimizers, then their schedules
                mover.step()
            for parameter in part.parameters():
                parameter.grad = None
            losses.append(loss.detach())
        totals += torch.stack(losses)  # read only where it is reported: a GPU need not wait for it
        _follow(average, model, min(ema, (1 + step) / (10 + step)))
        done = step + 1
        if done % report_every == 0 or done == steps:
            count = (done - 1) % report_every + 1
            means = dict(zip(players, (totals / count).tolist(), strict=True))
            yield Progress(done, steps, means, (time.perf_counter() - began) / count)
            totals, began = torch.zeros_like(totals), time.perf_counter()
        if folder and (done % checkpoint_every == 0 or done == steps) and accelerator.is_main_process:
            accelerator.save_state(str(folder / "state"))
            (folder / "progress.json").write_text(json.dumps({"step": done}), encoding="utf-8")
    model.load_state_dict(average_state.model.state_dict())
    model.eval()


def _rate_at(step: int, steps: int) -> float:
    warm = max(1, steps // 50)
    if step < warm:
        return (step + 1) / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Exponential moving average of the weights; what is no weight is taken as it is."""
    pairs = zip(average.parameters(), model.parameters(), strict=True)
    slow, fast = zip(*pairs, strict=True)
    torch._foreach_lerp_(slow, [p.detach() for p in fast], 1 - decay)
    for kept, now in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(now)


@dataclass
class _State:
    """Lets the averaged weights travel in Accelerate's checkpoint."""

    model: nn.Module

    def state_dict(self) -> dict[str, Tensor]:
        return self.model.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.model.load_state_dict(state)


def describe(progress: Progress) -> str:
    losses = "  ".join(f"{name} {value:.4f}" for name, value in asdict(progress)["losses"].items())
    return f"step {progress.step}/{progress.steps}  {losses}  {progress.seconds_a_step:.3f} s/step"
