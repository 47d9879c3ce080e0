"""The command line: ./dgm COMMAND is python -m dgm_models COMMAND."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="Deep generative models: list, sample, train, evaluate, publish.", no_args_is_help=True, add_completion=False)
out = Console() if sys.stdout.isatty() else Console(width=160)  # a pipe has no width, and ids are not cut

Id = Annotated[str, typer.Argument(help="the id of a model, as ./dgm list shows them")]
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable output")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """The models there are, what they answer and what they scored."""
    from dgm_models import catalog, weights

    known = weights.manifest()
    rows = []
    for id, row in catalog.MODELS.items():
        entry = known.get(id, {})
        rows.append(
            {
                "id": id,
                "title": row.title,
                "trained": entry.get("trained"),
                "parameters": entry.get("parameters"),
                "bytes": entry.get("bytes"),
                "data": row.data,
                "answers": [q for q in catalog.QUESTIONS if id in catalog.models_for(q, data=row.data)],
                "scores": entry.get("scores", {}),
            }
        )
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    table = Table("id", "model", "parameters", "file", "trained", "answers")
    for row in rows:
        size = f"{row['bytes'] / 1e6:.1f} MB" if row["bytes"] else "-"
        count = f"{row['parameters'] / 1e6:.2f} M" if row["parameters"] else "-"
        table.add_row(row["id"], row["title"], count, size, row["trained"] or "not yet", ", ".join(row["answers"]))
    out.print(table)


@app.command()
def sample(
    id: Id,
    digits: Annotated[str, typer.Option(help="the classes to draw, such as 0123; a dash for any; each of them once if left out")] = "",
    seed: Annotated[int, typer.Option(help="0 to 2^32 - 1; picture i uses seed + i")] = 0,
    to: Annotated[Path, typer.Option(help="a .png or .npy file")] = Path("sample.png"),
) -> None:
    """Draw digits and write them to a file."""
    from dgm_models import catalog
    from dgm_models.applications.generate import generate
    from dgm_models.modalities.image import write

    try:
        result = generate(id, digits or catalog.dataset(id).condition.in_turn(catalog.dataset(id).condition.count), seed)
        write(to, result.x)
    except (ValueError, RuntimeError, OSError) as error:
        raise typer.Exit(_say(str(error))) from error
    out.print(f"{to}: {len(result.x)} digits of {id}, seed {seed}, {result.milliseconds:.0f} ms")


@app.command()
def train(
    id: Id,
    large: Annotated[bool, typer.Option(help="the recipe for a GPU")] = False,
    steps: Annotated[int | None, typer.Option(help="a trial of so many steps; its weights stay in runs/")] = None,
    seed: int = 0,
) -> None:
    """Train a model from its recipe; the digits come from DGM_DATA or from the Hub."""
    from dgm_models.training.run import train_recipe

    try:
        for line in train_recipe(id, large=large, steps=steps, seed=seed):
            print(line, flush=True)
    except (ValueError, RuntimeError) as error:
        raise typer.Exit(_say(str(error))) from error


@app.command()
def evaluate(
    id: Annotated[str | None, typer.Argument(help="the id of a model")] = None,
    all_models: Annotated[bool, typer.Option("--all", help="every trained model")] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="a part such as samples or inpainting (a wrong name lists them); may be repeated")
    ] = None,
    digits: Annotated[int | None, typer.Option(min=20, max=10_000, help="fewer test digits for likelihood and restoration")] = None,
    draws: Annotated[int | None, typer.Option(min=100, max=10_000, help="fewer samples to read and to compare than 10,000")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure on the test digits and write the figures into weights/manifest.json and the README's table."""
    from dgm_models import weights
    from dgm_models.evaluation.measure import evaluate as measure
    from dgm_models.evaluation.report import write_table

    if (id is None) != all_models:
        raise typer.Exit(_say("expected either the id of a model or --all"))
    measured: dict[str, dict] = {}
    try:
        for each in [known for known in weights.manifest() if known != "_hub"] if all_models else [id]:
            for part, scores in measure(each, only, digits, draws):
                measured.setdefault(each, {}).update(scores)
                if not as_json:
                    words = (f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in scores.items())
                    print(f"{each} {part}: " + ", ".join(words), flush=True)
    except (ValueError, RuntimeError) as error:
        raise typer.Exit(_say(str(error))) from error
    finally:
        if measured:
            write_table()
    if as_json:
        print(json.dumps(measured, indent=1))


@app.command()
def scale(folder: Annotated[Path, typer.Option(help="where runs that are done are kept")] = Path("runs/scaling")) -> None:
    """Train the grid of small language models whose losses the app shows against parameters, data and compute."""
    import torch

    from dgm_models.evaluation import scaling

    for run in scaling.GRID:
        torch.manual_seed(0)  # the weights that a run starts from
        for line in scaling.measure(folder, *run):
            print(line, flush=True)
    scaling.write(folder)


@app.command()
def paint() -> None:
    """Make each view's first result, as the page shows it before anybody presses a button, where it is no longer what is stored."""
    from dgm_models.ui import first
    from dgm_models.ui.app import build_app

    panels = [panel for panel in build_app(firsts=False).panels.values() if panel.stored]
    for panel in panels:
        print(f"{panel.address}: {first.paint(panel)}", flush=True)
    first.forget(panels)


@app.command()
def publish(
    repo_id: Annotated[str, typer.Option(help="the Hub repo that takes the weights, owner/name")],
) -> None:
    """Upload every trained model to the Hub, each with its card, and pin the commit in the manifest."""
    from huggingface_hub.utils import httpx

    from dgm_models.hub import publish as upload

    try:
        commit = upload(repo_id)
    except (ValueError, RuntimeError, OSError, httpx.HTTPError) as error:
        raise typer.Exit(_say(f"nothing was published. {type(error).__name__}: {error}")) from error
    out.print(f"{repo_id} at {commit}; readers find it with DGM_HUB_REPO={repo_id}")


def _say(message: str) -> int:
    Console(stderr=True).print(message, markup=False, style="red")
    return 1


if __name__ == "__main__":
    app()
