"""Weights to the Hub: a repo with a folder per model, each with its card, and a card in front that lists them all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from dgm_models import catalog, weights

METRICS = {
    "read_as_asked": "read as asked, share of 10,000 samples",
    "frechet_ratio": "Frechet distance over the train-against-test floor (features of reader-mnist)",
    "train_on_synthetic": "accuracy on real test digits after training on synthetic ones",
    "bits_per_dimension": "bits a dimension, test digits",
    "accuracy": "accuracy, test digits",
}

INDEX = """- name: {id}
  results:
  - task:
      type: {task}
    dataset:
      type: ylecun/mnist
      name: MNIST
    metrics:
{results}
"""

CARD = """---
library_name: pytorch
license: mit
pipeline_tag: {task}
datasets:
- ylecun/mnist
{index}---
{text}"""


def task(id: str) -> str:
    """The Hub's word for what a model does."""
    if catalog.MODELS[id].generative:
        return "unconditional-image-generation"
    return "image-classification" if hasattr(catalog.family(id), "probabilities") else "image-to-image"


def model_index(known: dict[str, dict[str, Any]]) -> str:
    """The front matter's model-index of these manifest entries: what each scored."""
    found = ""
    for id, entry in known.items():
        measured = {key: entry["scores"][key] for key in METRICS if entry.get("scores", {}).get(key) is not None}
        lines = [f"    - type: {key}\n      name: {METRICS[key]}\n      value: {value:.5g}" for key, value in measured.items()]
        found += INDEX.format(id=id, task=task(id), results="\n".join(lines)) if lines else ""
    return f"model-index:\n{found}" if found else ""


def card(id: str, entry: dict[str, Any]) -> str:
    """The card of one model: what it scored, how to load it, how it was trained."""
    row = catalog.MODELS[id]
    text = f"""# {row.title} (`{id}`)

{row.about}.

    from dgm_models import load
    model = load("{id}")

{entry["parameters"] / 1e6:.2f} M parameters, {entry["bytes"] / 1e6:.1f} MB, trained on {entry["data"]} with `{entry["command"]}` in
{entry["seconds"]} s. sha256 `{entry["sha256"]}`. It knows handwritten digits of 28 x 28 pixels and nothing else.
"""
    return CARD.format(task=task(id), index=model_index({id: entry}), text=text)


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
    return CARD.format(task="unconditional-image-generation", index=model_index(known), text=text)


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
