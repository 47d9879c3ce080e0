"""How fast the app's work is on this machine, as Markdown: ./dgm bench. Compare ratios within one run, never across machines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import torch

from dgm_models import Hide, Noise, Shrink, catalog
from dgm_models.applications.restore import hole
from dgm_models.contracts import last
from dgm_models.data import mnist
from dgm_models.networks.raster import Causal
from dgm_models.training.evaluation import median_ms

FULL = mnist.pixels(mnist.test()[0][:4])
Y = torch.arange(16) % 10


def seconds_to_import(module: str) -> float:
    code = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    return min(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) for _ in range(3))


def with_diffusers(model: torch.nn.Module, steps: int) -> Callable[[], torch.Tensor]:
    """The same network, the same sampler and guidance, driven by diffusers' scheduler."""
    from diffusers import DPMSolverMultistepScheduler

    scheduler = DPMSolverMultistepScheduler(algorithm_type="dpmsolver++", prediction_type="sample", final_sigmas_type="zero")
    settings = model.Settings(steps=steps)
    denoise = model.denoiser(Y, settings.guidance_scale, (settings.guide_from, settings.guide_until))

    @torch.no_grad()
    def work() -> torch.Tensor:
        scheduler.set_timesteps(steps)
        x = Noise(range(len(Y))).normal(*model.space.shape)
        for step, ratio in zip(scheduler.timesteps, scheduler.sigmas.tolist(), strict=False):
            t = 1 / (1 + ratio)
            scale = 1 / (t * t + (1 - t) ** 2) ** 0.5
            x = scheduler.step(denoise(x / scale, t), step, x).prev_sample
        return x

    return work


def without_caches(network: Causal, steps: int) -> Callable[[], None]:
    """So many steps of sampling, evenly spread, each of which looks at the whole picture again."""

    @torch.no_grad()
    def work() -> None:
        prefix = Causal.begin(network, Y)
        for prefix.at in range(0, 784, 784 // steps):
            Causal.predict(network, prefix)

    return work


def main() -> None:
    print(f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}\n")
    print("| what | ms |\n|---|---|")
    both, alone = seconds_to_import("torch, dgm_models"), seconds_to_import("torch")
    print(f"| import dgm_models, beyond torch | {1000 * max(0.0, both - alone):.0f} |")
    for id in catalog.models_for("sample"):
        model = catalog.load(id)
        for n in (1, 16):
            print(f"| {id}: {n} digit{'s' if n > 1 else ''} | {median_ms(lambda m=model, n=n: m.sample(Noise(range(n)), Y[:n])):.0f} |")
    peer = with_diffusers(catalog.load("diffusion-mnist"), 8)
    print(f"| diffusion-mnist: 16 digits, diffusers' DPM-Solver++ on the same network | {median_ms(peer):.0f} |")
    raster = catalog.load("autoregressive-mnist")
    plain = raster.Settings(guidance_scale=1.0)
    print(f"| autoregressive-mnist: 16 digits, unguided | {median_ms(lambda: raster.sample(Noise(range(16)), Y, plain), 3):.0f} |")
    print(f"| the same without caches: 28 of its 784 steps, times 28 | {28 * median_ms(without_caches(raster.network, 28), 3):.0f} |")
    for name, away in (("centre hidden", Hide(hole("centre"))), ("4x smaller", Shrink(4))):
        for id in catalog.models_for("restore", type(away)):
            model, seen = catalog.load(id), away(FULL[:1]).expand(4, -1, -1, -1)
            taken = median_ms(lambda m=model, seen=seen, away=away: last(m.restore(seen, away, Noise(range(4)))), 3)
            print(f"| {id}: four answers, {name} | {taken:.0f} |")
    for id in catalog.models_for("encode"):
        model = catalog.load(id)
        print(f"| {id}: 4 digits to codes and back | {median_ms(lambda m=model: m.decode(m.encode(FULL)), 3):.0f} |")


if __name__ == "__main__":
    main()
