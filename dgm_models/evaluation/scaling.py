"""Loss against parameters, data and compute (Kaplan et al., 2020), on a grid of small runs of our own: GPTs of three sizes on three shares
of Shakespeare, measured on the held-out tenth as they learn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dgm_models.contracts import Noise
from dgm_models.data import shakespeare
from dgm_models.data.dataset import ASSETS
from dgm_models.data.text import STRIDE, windows
from dgm_models.families.text import TextModel, TextSettings
from dgm_models.modalities.text import words
from dgm_models.networks.transformer import CausalTransformer
from dgm_models.training.optimizers import multiplies_bf16
from dgm_models.training.step import Trainer

FILE = ASSETS / "data" / "scaling.json"
GRID = tuple((*size, over) for size in ((64, 2), (128, 3), (256, 5)) for over in (16, 4, 1))  # width, depth; the training part over so much
STEPS, BATCH, EVERY, LETTERS = 1500, 64, 75, 300
BLOCK = 4000  # letters: a smaller share is every so many such blocks, so that it is of all plays


def run(width: int, depth: int, over: int, steps: int = STEPS) -> Iterator[dict[str, Any]]:
    """One run of the grid, from weights of torch's own stream: what is known of it after each EVERY steps, the last time with a sample of
    its best moment."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    space, learned = shakespeare.SPACE, shakespeare.text()[0]
    blocks = [learned[at : at + BLOCK] for at in range(0, len(learned), BLOCK * over)] if over > 1 else [learned]
    x = windows([each for each in blocks if len(each) >= space.length], space, STRIDE)[0].to(device)
    network = CausalTransformer(space.length, space.end + 1, width, depth, head=min(64, width // 2), dropout=0.1)
    model = TextModel(network, space).to(device)
    y = torch.full((len(x),), -1, device=device)
    trainer = Trainer(model, x, y, steps=steps, batch=BATCH, rate=4e-3, optimizer="muon", bf16=multiplies_bf16())
    said = {"width": width, "depth": depth, "parameters": sum(p.numel() for p in model.parameters()), "letters": sum(map(len, blocks))}
    held_out, curve, best = shakespeare.test()[0].to(device), [], None
    while trainer.done < steps:
        trainer.step()
        if trainer.done % EVERY == 0 or trainer.done == steps:
            nats = _nats(trainer.average, held_out)
            if best is None or nats < min(nats_then for _, nats_then in curve):
                best = {name: kept.cpu().clone() for name, kept in trainer.average.state_dict().items()}
            curve.append([trainer.done, round(nats, 4)])
            yield {**said, "batch": BATCH * space.length, "curve": curve}
    model.load_state_dict(best)
    yield {**said, "batch": BATCH * space.length, "curve": curve, "sample": _sample(model.cpu().eval())}


@torch.no_grad()
def _nats(model: TextModel, x: Tensor) -> float:
    """A letter, of windows that follow each other."""
    model.eval()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=multiplies_bf16()):
        losses = [float(model.loss(part.long())) * len(part) for part in x.split(145)]
    return sum(losses) / len(x)


def _sample(model: TextModel) -> str:
    """Of seed 0, at temperature 0.8, after an empty line."""
    start = torch.tensor([model.space.split("\n")])
    drawn = torch.stack(list(model.continued(start, Noise([0]), LETTERS, TextSettings())), 1)
    return words(model.space, drawn)[0]


def write(parts: Path, path: Path = FILE) -> None:
    """Put together what the runs left in a folder, a file a run."""
    runs = [json.loads(each.read_text(encoding="utf-8")) for each in sorted(parts.glob("*.json"))]
    runs.sort(key=lambda each: (each["parameters"], each["letters"]))
    path.write_text(json.dumps(runs) + "\n", encoding="utf-8")


def measure(parts: Path, width: int, depth: int, over: int) -> Iterator[str]:
    """Make a run, unless it is in the folder already, and leave it there; lines of progress."""
    parts.mkdir(parents=True, exist_ok=True)
    path = parts / f"{width}-{depth}-{over}.json"
    if path.exists():
        return
    for found in run(width, depth, over):
        step, nats = found["curve"][-1]
        yield f"{found['parameters'] / 1e6:.2f} M on {found['letters']:,} letters: step {step}/{STEPS}  {nats:.3f} nats"
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")
