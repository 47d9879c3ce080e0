"""Weights to the Hub: a repo with a folder per model, each with its card, and a card in front that lists them all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from dgm_models import catalog, weights
from dgm_models.evaluation.figures import BY_KEY

METRICS = [BY_KEY[key] for key in ("read_as_asked", "frechet_ratio", "train_on_synthetic", "bits_per_dimension", "accuracy")]

INDEX = """- name: {id}
  results:
  - task:
      type: {task}
    dataset:
      type: {hub}
      name: {data}
    metrics:
{results}
"""

CARD = """---
library_name: pytorch
license: mit
pipeline_tag: {task}
datasets:
{sets}
{index}---
{text}"""


def task(id: str) -> str:
    """The Hub's word for what a model does."""
    if catalog.MODELS[id].generative:
        return "unconditional-image-generation"
    return "image-classification" if catalog.MODELS[id].role == "judge" else "image-to-image"


def model_index(known: dict[str, dict[str, Any]]) -> str:
    """The front matter's model-index of these manifest entries: what each scored."""
    found = ""
    for id, entry in known.items():
        measured = {figure: value for figure in METRICS if (value := entry.get("scores", {}).get(figure.key)) is not None}
        lines = [f"    - type: {each.key}\n      name: {each.name}; {each.protocol}\n      value: {v:.5g}" for each, v in measured.items()]
        data = catalog.dataset(id)
        found += INDEX.format(id=id, task=task(id), hub=data.hub, data=data.title, results="\n".join(lines)) if lines else ""
    return f"model-index:\n{found}" if found else ""


def card(id: str, entry: dict[str, Any]) -> str:
    """The card of one model: what it scored, how to load it, how it was trained."""
    row, data = catalog.MODELS[id], catalog.dataset(id)
    text = f"""# {row.title} (`{id}`)

{row.about}.

    from dgm_models import load
    model = load("{id}")

{entry["parameters"] / 1e6:.2f} M parameters, {entry["bytes"] / 1e6:.1f} MB, trained on {entry["data"]} with `{entry["command"]}` in
{entry["seconds"]} s. sha256 `{entry["sha256"]}`. It knows {data.noun}s of {data.title} and nothing else.
"""
    return CARD.format(task=task(id), sets=f"- {data.hub}", index=model_index({id: entry}), text=text)


def front_card(known: dict[str, dict[str, Any]]) -> str:
    """The card of the repo, the one that the Hub reads: all models with what they scored."""
    rows = "\n".join(
        f"| [`{id}`]({id}/README.md) | {catalog.MODELS[id].title} | {entry['parameters'] / 1e6:.2f} M |" for id, entry in known.items()
    )
    text = f"""# Deep generative models, taken apart: the weights

The models of an interactive companion to a university course, a folder each; `dgm_models.load(id)` finds them here.

| id | model | parameters |
|---|---|---|
{rows}
"""
    sets = "\n".join(f"- {hub}" for hub in sorted({catalog.dataset(id).hub for id in known}))
    return CARD.format(task="unconditional-image-generation", sets=sets, index=model_index(known), text=text)


def publish(repo_id: str, folder: Path = weights.FOLDER, endpoint: str | None = None) -> str:
    """Upload all that the manifest lists in one commit; returns the commit, which the manifest then pins.

    Needs a token, as `hf auth login` stores it. Raises the Hub client's errors as they come, and WeightsError where a
    file here is not what the manifest says.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint or weights.endpoint())
    known = {id: entry for id, entry in weights.manifest(folder).items() if id in catalog.MODELS}
    with tempfile.TemporaryDirectory() as staging:
        for id, entry in known.items():
            weights.verified(id, folder)
            place = Path(staging) / id
            shutil.copytree(folder / id, place)
            (place / "README.md").write_text(card(id, entry), encoding="utf-8")
        (Path(staging) / "README.md").write_text(front_card(known), encoding="utf-8")
        api.create_repo(repo_id, repo_type="model", exist_ok=True)
        done = api.upload_folder(repo_id=repo_id, folder_path=staging, commit_message=f"Publish {len(known)} models")
    weights.record("_hub", {"repo": repo_id, "revision": done.oid}, folder)
    return done.oid
