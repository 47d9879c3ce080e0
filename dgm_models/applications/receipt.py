"""What a result cost and where it came from: printed under every picture."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dgm_models.catalog import Loaded


@dataclass
class Receipt:
    """Milliseconds, network evaluations a picture, parameters, where the weights came from, seed."""

    model: str
    seed: int
    milliseconds: float = 0.0
    evaluations: float = 0.0
    parameters: int = 0
    source: str = ""
    sha256: str = ""

    @property
    def cost(self) -> str:
        evaluations = f"{self.evaluations:.0f} evaluation{'s' if round(self.evaluations) != 1 else ''}"
        return f"{self.milliseconds:.0f} ms, {evaluations if self.evaluations else 'closed form'}"

    def __str__(self) -> str:
        size = f"{self.parameters / 1e6:.2f} M parameters"
        return f"{self.cost} · {size} · {self.source} {self.sha256[:7]} · seed {self.seed}"


@contextmanager
def measured(loaded: Loaded, name: str, seed: int, pictures: int) -> Iterator[Receipt]:
    """Fill in a receipt while the block runs: its time, and how often each picture went through the network."""
    receipt = Receipt(name, seed, parameters=loaded.parameters, source=loaded.source.kind, sha256=loaded.source.sha256)

    def count(module: object, inputs: tuple, output: object) -> None:
        receipt.evaluations += len(inputs[0]) / pictures

    network = getattr(loaded.model, "network", None)
    parts = getattr(network, "evaluated", (network,)) if network is not None else ()
    hooks = [part.register_forward_hook(count) for part in parts]
    began = time.perf_counter()
    try:
        yield receipt
    finally:
        receipt.milliseconds = 1000 * (time.perf_counter() - began)
        for hook in hooks:
            hook.remove()
