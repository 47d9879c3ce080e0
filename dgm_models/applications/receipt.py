"""What a result cost and where it came from: printed under every picture."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from dgm_models.catalog import Loaded
from dgm_models.turns import clock, is_for_all, pause

_timed = ContextVar("timed", default=True)


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
        return ", ".join(filter(None, [spent(self.milliseconds), evaluations if self.evaluations else "closed form"]))

    def __str__(self) -> str:
        size = f"{self.parameters / 1e6:.2f} M parameters"
        return f"{self.cost} · {size} · {self.source} {self.sha256[:7]} · seed {self.seed}"


def spent(milliseconds: float) -> str:
    """So many milliseconds in words; nothing within `untimed`."""
    return f"{milliseconds:.0f} ms" if _timed.get() else ""


@contextmanager
def untimed() -> Iterator[None]:
    """Within this, receipts leave out how long things took: what they say is then a function of the weights alone."""
    before = _timed.set(False)
    try:
        yield
    finally:
        _timed.reset(before)


@contextmanager
def measured(loaded: Loaded, name: str, seed: int, pictures: int) -> Iterator[Receipt]:
    """Fill in a receipt while the block runs: its time, and how often each picture went through the network.

    Between two evaluations other people's work may have its turn; neither its time nor its evaluations are counted.
    """
    receipt = Receipt(name, seed, parameters=loaded.parameters, source=loaded.source.kind, sha256=loaded.source.sha256)
    me = threading.get_ident()

    def count(module: object, inputs: tuple, output: object) -> None:
        if threading.get_ident() == me:
            receipt.evaluations += 0 if is_for_all() else len(inputs[0]) / pictures
            pause()

    network = getattr(loaded.model, "network", None)
    parts = getattr(network, "evaluated", (network,)) if network is not None else ()
    hooks = [part.register_forward_hook(count) for part in parts]
    began = clock()
    try:
        yield receipt
    finally:
        receipt.milliseconds = 1000 * (clock() - began)
        for hook in hooks:
            hook.remove()
