"""Weights to the Hub: a repo with a folder per model, each with its card."""

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


INDEX = """model-index:
- name: {id}
  results:
  - task:
      type: {task}
    dataset:
      type: ylecun/mnist
      name: MNIST
    metrics:
{results}
"""


def card(id: str, entry: dict[str, Any]) -> str:
    """The model card: front matter with a model-index filled from the manifest, then how to load and how it was trained."""
    row, scores = catalog.MODELS[id], entry.get("scores", {})
    task = "unconditional-image-generation"
    if not row.generative:
        task = "image-classification" if hasattr(catalog.family(id), "probabilities") else "image-to-image"
    measured = {key: scores[key] for key in METRICS if scores.get(key) is not None}
    results = [f"    - type: {key}\n      name: {METRICS[key]}\n      value: {value:.5g}" for key, value in measured.items()]
    index = INDEX.format(id=id, task=task, results="\n".join(results)) if results else ""
    return f"""---
library_name: pytorch
license: mit
pipeline_tag: {task}
datasets:
- ylecun/mnist
{index}---
# {row.title} (`{id}`)

{row.about}.

    from dgm_models import load
    model = load("{id}")

{entry["parameters"] / 1e6:.2f} M parameters, {entry["bytes"] / 1e6:.1f} MB, trained on {entry["data"]} with `{entry["command"]}` in
{entry["seconds"]} s. sha256 `{entry["sha256"]}`. It knows handwritten digits of 28 x 28 pixels and nothing else.
"""


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
            (place / "README.md").write_text(card(id, entry))
        api.create_repo(repo_id, repo_type="model", exist_ok=True)
        done = api.upload_folder(repo_id=repo_id, folder_path=staging, commit_message=f"Publish {len(known)} models")
    weights.record("_hub", {"repo": repo_id, "revision": done.oid}, folder)
    return done.oid
