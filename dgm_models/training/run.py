"""Train a recipe from its row: get the data, run the loop that fits, write weights/ and the manifest."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from dgm_models import catalog, weights
from dgm_models.contracts import Learner
from dgm_models.recipes import Recipe
from dgm_models.training.loop import train
from dgm_models.training.optimizers import multiplies_bf16

RUNS = weights.FOLDER.parent / "runs"


def train_recipe(id: str, *, large: bool = False, steps: int | None = None, seed: int = 0, compile: bool | None = None) -> Iterator[str]:
    """Lines of progress; at the end weights/<id>/ holds the model. Interrupted runs resume from runs/<id>/.

    A number of steps other than the recipe's is for trials: its weights go to runs/<id>/weights, not into the project.
    """
    from accelerate.utils import set_seed

    row = catalog.enlarge(catalog.recipe(id)) if large else catalog.recipe(id)
    trial = steps is not None and steps != row.steps
    row = replace(row, steps=steps) if trial else row
    folder = _folder_for(row, seed, id + ("-large" if large else "") + ("-trial" if trial else ""))
    data = catalog.dataset(id)
    x, y = data.few() if row.split == "few" else data.train()
    set_seed(seed)  # the weights that training starts from are part of the recipe
    model, began = catalog.build(row), time.perf_counter()
    yield f"{id}: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {row.steps} steps"
    model.observe(x)
    yield from _fit(model, row, x, y, seed, folder, compile)
    options = [("--large", large), (f"--steps {steps}", trial), (f"--seed {seed}", seed)]
    command = " ".join([f"./dgm train {id}", *(text for text, given in options if given)])
    model.cpu()
    model.finish(data.space.read(x), y)
    weights.save(
        id,
        model.state_dict(),
        {"data": row.data, "family": row.family_config, "network": row.network_config},
        half=row.half,
        folder=folder / "weights" if trial else weights.FOLDER,
        title=row.title,
        data=f"{data.title}, {len(x):,} training {data.noun}s",
        command=command,
        trained=datetime.now(UTC).strftime("%Y-%m-%d"),
        seconds=round(time.perf_counter() - began),
    )
    if not trial and row.teacher and (prefixes := catalog.family(id).borrows):
        kept = weights.borrow(id, row.teacher, prefixes)
        yield f"{id}: {kept} tensors are those of {row.teacher} and not stored again"
    for checkpoint in folder.glob("lesson-*"):
        shutil.rmtree(checkpoint, ignore_errors=True)
    yield f"{id}: weights written after {time.perf_counter() - began:.0f} s"


def _folder_for(row: Recipe, seed: int, name: str) -> Path:
    """Where a run keeps its checkpoints: empty unless the very same recipe and seed were interrupted there."""
    folder, what = RUNS / name, f"{row}, seed {seed}"
    if (folder / "recipe.txt").is_file() and (folder / "recipe.txt").read_text(encoding="utf-8") != what:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.txt").write_text(what, encoding="utf-8")
    return folder


def _fit(model: Learner, row: Recipe, x: Tensor, y: Tensor, seed: int, folder: Path, compile: bool | None) -> Iterator[str]:
    compile = (row.compiles and (not torch.cuda.is_available() or row.steps > 5000)) if compile is None else compile
    options = {key: getattr(row, key) for key in ("batch", "rate", "ema", "optimizer", "momentum")}
    options |= {"seed": seed, "compile": compile, "bf16": multiplies_bf16(), "steps": row.steps // model.teaches}
    for number, line in enumerate(model.lessons(catalog.load(row.teacher) if row.teacher else None)):
        yield from filter(None, [line])
        every = 1 if row.steps < 100 else 100
        yield from map(str, train(model, x, y, folder=folder / f"lesson-{number}", report_every=every, **options))
