"""What descends on a loss, and how fast at which step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


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
    """Whether the hardware multiplies matrices in bf16: a CPU that has to emulate it is twenty times slower. With AVX-512's own products,
    without AMX, a step of a diffusion model took 0.6 of its time in float32."""
    able = torch.cpu.get_capabilities()
    return torch.cuda.is_available() or any(able.get(name) for name in ("amx_bf16", "avx512_bf16"))


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


def rate_at(step: int, steps: int) -> float:
    """The share of the full rate: it warms up over 2 % of the steps and falls as a cosine to 1 %."""
    warm = max(1, steps // 50)
    if step < warm:
        return (step + 1) / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
