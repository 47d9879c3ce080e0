"""How fast the app's work is on this machine, beside peers that do the same: ./dgm bench.

Prints tables and writes benchmarks/speed.json and speed.svg. Compare ratios within one run, never times across machines. Whatever is
compared runs in turns, ROUNDS times, and its spread is printed; on a machine that is busy, or where a figure cannot be, nothing is written.
"""

from __future__ import annotations

import html
import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dgm_models import Hide, Noise, Shrink, catalog
from dgm_models.applications.restore import hole
from dgm_models.contracts import last
from dgm_models.data import mnist
from dgm_models.evaluation.measure import median_ms
from dgm_models.networks.raster import Causal

HERE = Path(__file__).resolve().parent
FULL, LABELS = mnist.pixels(mnist.test()[0][:100]), mnist.test()[1][:100]
Y = torch.arange(16) % 10


def draws(model: nn.Module, n: int = 16, **settings: float) -> Callable[[], torch.Tensor]:
    return lambda: model.sample(Noise(range(n)), Y[:n], model.Settings(**settings))


def seconds_to_import(module: str) -> float:
    code = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    return min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout) for _ in range(3)
    )


ROUNDS = 5  # of what is compared, in turns
STEADY = 1.25  # how many times its usual speed the best kernel may reach, before the machine counts as busy


class Peak:
    """The machine's own best, float32 operations a second, as the fastest of several kernels reaches it: which one that is differs from
    machine to machine. It is looked at again beside every figure."""

    def __init__(self) -> None:
        pictures, kernel = torch.randn(16, 128, 28, 28), torch.randn(128, 128, 3, 3)
        lying = [each.to(memory_format=torch.channels_last) for each in (pictures, kernel)]
        self.kernels: dict[str, Callable[[], object]] = {
            "convolution": lambda: nn.functional.conv2d(pictures, kernel, padding=1),
            "convolution, channels last": lambda: nn.functional.conv2d(*lying, padding=1),
        }
        for side in (256, 512, 1024, 2048):
            a, b = torch.randn(2, side, side)
            self.kernels[f"matrix product of {side}"] = lambda a=a, b=b: a @ b
        self.work = {name: operations(kernel) for name, kernel in self.kernels.items()}
        rates = {name: self._rate(name) for name in self.kernels}
        self.best = max(rates, key=rates.get)
        self.seen = [rates[self.best]]

    def now(self) -> float:
        """Of the best kernel, at this moment."""
        self.seen.append(self._rate(self.best))
        return self.seen[-1]

    def _rate(self, name: str) -> float:
        return self.work[name] / (median_ms(self.kernels[name], 3) / 1000)

    @property
    def spread(self) -> float:
        return max(self.seen) / median(self.seen)


class _AsOne(nullcontext):
    """Counts all as one: the hooks that would tell modules apart forbid a gradient inside of the work."""

    parents = ("Global",)


def operations(work: Callable[[], object]) -> float:
    """Multiplications and additions in matrix products and convolutions."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _AsOne()
    with counter:
        work()
    return counter.get_total_flops()


class Pair(NamedTuple):
    """Two pieces of work that do the same: medians in ms, and how many times as fast ours was, at least, usually and at most."""

    what: str
    ms: float
    peer: str
    peer_ms: float
    ratios: tuple[float, float, float]


def paired(
    what: str, ours: Callable[[], object], peer: str, theirs: Callable[[], object], times: float = 1.0, rounds: int = ROUNDS
) -> Pair:
    """Run in turns: a clock that wanders wanders for both. `times`: the peer is run for a part of the work, and counted for all of it."""
    ours(), theirs()
    taken = [(median_ms(ours, 1), times * median_ms(theirs, 1)) for _ in range(rounds)]
    ratios = sorted(b / a for a, b in taken)
    return Pair(what, median(a for a, _ in taken), peer, median(b for _, b in taken), (ratios[0], median(ratios), ratios[-1]))


# peers ----------------------------------------------------------------------------------------------------------------


def beside_diffusers(steps: int = 8) -> Iterator[Pair]:
    """The same network and as many steps of DPM-Solver++, driven by diffusers' scheduler: with our denoiser, which guides where it
    matters and keeps its weights channels last; and as a pipeline does it, guided at every step, weights as they are loaded."""
    model, what = catalog.load("diffusion-mnist"), f"16 diffusion digits in {steps} steps, guided"
    settings = model.Settings(steps=steps)
    ours = draws(model, steps=steps)
    narrow = model.denoiser(Y, settings.guidance_scale, (settings.guide_from, settings.guide_until))
    yield paired(what, ours, "diffusers' scheduler around our denoiser", lambda: _scheduled(model, narrow, steps), rounds=15)
    plain = deepcopy(model)
    for part in plain.modules():
        if isinstance(part, nn.Conv2d):
            part.to(memory_format=torch.contiguous_format)
    always = plain.denoiser(Y, settings.guidance_scale, (0.0, 1.0))
    yield paired(what, ours, "diffusers' scheduler, guided at every step", lambda: _scheduled(plain, always, steps), rounds=15)


@torch.no_grad()
def _scheduled(model: nn.Module, denoise: Callable[[torch.Tensor, float], torch.Tensor], steps: int) -> torch.Tensor:
    from diffusers import DPMSolverMultistepScheduler

    scheduler = DPMSolverMultistepScheduler(algorithm_type="dpmsolver++", prediction_type="sample", final_sigmas_type="zero")
    scheduler.set_timesteps(steps)
    x = Noise(range(len(Y))).normal(*model.space.shape)
    for step, ratio in zip(scheduler.timesteps, scheduler.sigmas.tolist(), strict=False):
        t = 1 / (1 + ratio)
        scale = 1 / (t * t + (1 - t) ** 2) ** 0.5
        x = scheduler.step(denoise(x / scale, t), step, x).prev_sample
    return x


def beside_recomputing(steps: int = 28) -> Iterator[Pair]:
    """Autoregressive sampling from caches, beside looking at the whole picture again for each pixel (a few steps of 784, scaled up)."""
    model = catalog.load("autoregressive-mnist")

    @torch.no_grad()
    def again() -> None:
        prefix = Causal.begin(model.network, Y)
        for prefix.at in range(0, 784, 784 // steps):
            Causal.predict(model.network, prefix)

    yield paired(
        "16 autoregressive digits, unguided, cached",
        draws(model, guidance_scale=1.0),
        "recomputing every pixel",
        again,
        times=784 / steps,
    )


def beside_zuko() -> Iterator[Pair]:
    """Our flow beside zuko's coupling flow (NICE / RealNVP) with as many layers and about as many parameters."""
    import zuko

    model = catalog.load("flow-mnist")
    size, layers = sum(p.numel() for p in model.parameters()), len(model.parts)
    wide = next(h for h in range(16, 2048, 16) if layers * (402 * h + h * h + 784 * h) > size)
    peer = zuko.flows.NICE(784, context=10, transforms=layers, hidden_features=(wide, wide)).eval().requires_grad_(False)
    told = nn.functional.one_hot(LABELS, 10).float()
    flat, sixteen = FULL.flatten(1), peer(nn.functional.one_hot(Y, 10).float())
    name = f"zuko's coupling flow, {sum(p.numel() for p in peer.parameters()) / 1e6:.1f} M"
    yield paired("16 digits of the flow", draws(model), name, lambda: sixteen.sample())
    ours, theirs = (lambda: model.log_prob(FULL, LABELS)), (lambda: peer(told).log_prob(flat))
    yield paired("log p of 100 digits by the flow", ours, name, theirs)


def beside_scikit() -> Iterator[Pair]:
    """The mixture of one class, ours by its factors, beside scikit-learn's with the full covariances."""
    import numpy as np
    from sklearn.mixture import GaussianMixture

    model = catalog.load("gmm-mnist")
    means, factors, noise = (each[3].double() for each in (model.means, model.factors, model.log_noise.exp()))
    covariance = factors @ factors.transpose(1, 2) + torch.diag_embed(noise.square())
    peer = GaussianMixture(len(means), covariance_type="full", random_state=0)
    peer.weights_, peer.means_, peer.covariances_ = model.log_weights[3].softmax(0).numpy(), means.numpy(), covariance.numpy()
    peer.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(peer.covariances_)).transpose(0, 2, 1)
    flat, threes = FULL.flatten(1).double().numpy(), torch.full((16,), 3)
    name = "scikit-learn's, full covariance"
    yield paired("16 digits of the mixture", lambda: model.sample(Noise(range(16)), threes), name, lambda: peer.sample(16))
    ours, theirs = (lambda: model.log_joint(FULL.flatten(1))), (lambda: peer.score_samples(flat))
    yield paired("log p of 100 digits by the mixture, all ten classes", ours, f"{name}, ten times one class", theirs, times=10)


# the run --------------------------------------------------------------------------------------------------------------------


def main() -> None:
    peak = Peak()
    machine = f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"
    print(f"{machine}; the fastest kernel here is a {peak.best}, {peak.seen[0] / 1e9:.0f} GFLOP/s\n")
    print("| beside peers | ms | peer | its ms | times as fast | at least | at most |\n|---|---|---|---|---|---|---|")
    peers = []
    for rows in (beside_recomputing(), beside_diffusers(), beside_zuko(), beside_scikit()):
        for pair in rows:
            low, ratio, high = (round(each, 2) for each in pair.ratios)
            said = {"what": pair.what, "ms": round(pair.ms, 2), "peer": pair.peer, "peer_ms": round(pair.peer_ms, 2)}
            peers.append({**said, "ratio": ratio, "at_least": low, "at_most": high})
            print(f"| {pair.what} | {pair.ms:.1f} | {pair.peer} | {pair.peer_ms:.1f} | {ratio} | {low} | {high} |", flush=True)
            peak.now()
    print("\n| sampler | 1 digit, ms | 16 digits, ms | GFLOP for 16 | of the peak | at least | at most |\n|---|---|---|---|---|---|---|")
    samplers = [_sampler(id, peak) for id in catalog.models_for("sample")]
    print("\n| other work | ms |\n|---|---|")
    other = {what: round(ms, 1) for what, ms in _other()}
    low, usual, high = (each / 1e9 for each in (min(peak.seen), median(peak.seen), max(peak.seen)))
    print(f"\nThe fastest kernel reached {low:.0f} to {high:.0f} GFLOP/s, usually {usual:.0f}.")
    if wrong := complaints(peak, samplers):
        sys.exit("Nothing was written:\n" + "\n".join(wrong))
    about = {
        "machine": machine,
        "peak_gflops": round(median(peak.seen) / 1e9),
        "peak_kernel": peak.best,
        "peak_spread": round(peak.spread, 2),
    }
    result = {**about, "peers": peers, "samplers": samplers, "other_ms": other}
    (HERE / "speed.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (HERE / "speed.svg").write_text(plot(peers), encoding="utf-8")


def _sampler(id: str, peak: Peak) -> dict[str, float | str]:
    model = catalog.load(id)
    work, many = operations(draws(model)), draws(model)
    taken = [(median_ms(many, 1) / 1000, peak.now()) for _ in range(ROUNDS)]
    shares = sorted(work / seconds / best for seconds, best in taken)
    one, ms = median_ms(draws(model, 1)), 1000 * median(seconds for seconds, _ in taken)
    low, share, high = shares[0], median(shares), shares[-1]
    print(f"| {id} | {one:.1f} | {ms:.1f} | {work / 1e9:.2f} | {share:.0%} | {low:.0%} | {high:.0%} |", flush=True)
    of_peak = {"of_peak": round(share, 3), "of_peak_at_least": round(low, 3), "of_peak_at_most": round(high, 3)}
    return {"id": id, "ms_1": round(one, 2), "ms_16": round(ms, 2), "gflop_16": round(work / 1e9, 3), **of_peak}


def complaints(peak: Peak, samplers: list[dict]) -> list[str]:
    """What makes a run worth nothing, in sentences."""
    wrong = []
    if peak.spread > STEADY:
        wrong.append(f"The fastest kernel was at times {peak.spread:.2f} times as fast as usual: something else runs here. Stop it.")
    for each in samplers:
        if each["of_peak"] > 1:
            wrong.append(f"{each['id']} seems to reach {each['of_peak']:.0%} of the fastest kernel that is known here, which cannot be.")
    return wrong


def _other() -> Iterator[tuple[str, float]]:
    both, alone = seconds_to_import("torch, dgm_models"), seconds_to_import("torch")
    work = [("import dgm_models, beyond torch", 1000 * max(0.0, both - alone))]
    for name, away in (("centre hidden", Hide(hole("centre"))), ("4x smaller", Shrink(4))):
        for id in catalog.models_for("restore", type(away)):
            model, seen = catalog.load(id), away(FULL[:1]).expand(4, -1, -1, -1)
            answer = lambda m=model, seen=seen, away=away: last(m.restore(seen, away, Noise(range(4))))  # noqa: E731
            work.append((f"{id}: four answers, {name}", median_ms(answer, 3)))
    for id in catalog.models_for("encode"):
        model = catalog.load(id)
        work.append((f"{id}: 4 digits to codes and back", median_ms(lambda m=model: m.decode(m.encode(FULL[:4])), 3)))
    for what, ms in work:
        print(f"| {what} | {ms:.0f} |", flush=True)
        yield what, ms


def plot(peers: list[dict]) -> str:
    """Bars of the ratios on a logarithmic axis, to the left where the peer is faster, as SVG that reads on white and on black."""
    wide, left, line, number = 900, 430, 34, 55
    logs = [math.log10(max(row["ratio"], 0.01)) for row in peers]
    low, high = min(0.0, *logs), max(1.0, *logs)
    a_decade = (wide - left - 2 * number) / (high - low)
    zero = left + number - low * a_decade
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {line * len(peers) + 40}" font-family="sans-serif" font-size="13">'
    ]
    parts.append(
        f'<rect width="100%" height="100%" fill="white"/><text x="{left}" y="18">times as fast as the peer; to the left, slower</text>'
    )
    for i, (row, log) in enumerate(zip(peers, logs, strict=True)):
        top, end = 30 + i * line, zero + log * a_decade
        start, long, colour = min(zero, end), max(1.0, abs(end - zero)), "#1f5fbf" if log >= 0 else "#b3400f"
        beside = (end + 6, "start") if log >= 0 else (end - 6, "end")
        parts.append(f'<text x="{left - 8}" y="{top + 12}" text-anchor="end">{html.escape(row["what"])}</text>')
        parts.append(f'<text x="{left - 8}" y="{top + 26}" text-anchor="end" fill="#667" font-size="11">{html.escape(row["peer"])}</text>')
        parts.append(f'<rect x="{start:.1f}" y="{top + 2}" width="{long:.1f}" height="20" fill="{colour}"/>')
        parts.append(f'<text x="{beside[0]:.1f}" y="{top + 17}" text-anchor="{beside[1]}">{_brief(row["ratio"])}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _brief(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


if __name__ == "__main__":
    main()
