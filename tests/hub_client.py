"""Run by test_weights in a process of its own, since the Hub client reads its environment at import: publish, then fetch in many ways."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path

import torch

from dgm_models import hub, weights

good, slow, nowhere, work = sys.argv[1:5]
made = Path(work) / "made"
ID = "regressor-mnist"
weights.save(ID, {"w": torch.arange(12.0).view(3, 4)}, {}, half=True, folder=made, title="toy", data="none", command="none", seconds=0)


def attempt(repo: str, address: str, embedded: bool, mode: str = "hub") -> dict:
    """Fetch from that repo and address, with or without good embedded weights."""
    folder = Path(work) / f"{repo.replace('/', '-')}-{embedded}"
    folder.mkdir(exist_ok=True)
    weights._replace(folder / "manifest.json", (made / "manifest.json").read_bytes())
    if embedded:
        weights._replace(folder / ID / weights.FILE, (made / ID / weights.FILE).read_bytes())
    os.environ |= {"DGM_HUB_REPO": repo, "HF_ENDPOINT": address, "DGM_WEIGHTS": mode}
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            tensors, source = weights.fetch(ID, folder)
            found = {"kind": source.kind, "right": bool(torch.equal(tensors["w"], torch.arange(12.0).view(3, 4)))}
        except weights.WeightsError as error:
            found = {"error": str(error)}
    return {**found, "seconds": time.perf_counter() - began, "warned": " ".join(str(w.message) for w in said)}


os.environ["HF_ENDPOINT"] = good
results: dict[str, dict] = {"published": {"commit": hub.publish("good/weights", made, endpoint=good)}}
for owner in sys.argv[5].split(","):
    hub.publish(f"{owner}/weights", made, endpoint=good)
results["good"] = attempt("good/weights", good, embedded=False)
results["again, unreachable"] = attempt("good/weights", nowhere, embedded=False)
for owner in sys.argv[5].split(","):
    results[owner] = attempt(f"{owner}/weights", good, embedded=False)
    results[f"{owner}, embedded"] = attempt(f"{owner}/weights", good, embedded=True)
results["slow"] = attempt("other/weights", slow, embedded=False)
results["unreachable"] = attempt("other/weights", nowhere, embedded=False)
results["auto"] = attempt("good/weights", slow, embedded=True, mode="auto")
hub.publish("pinned/weights", made, endpoint=good)
results["pinned"] = attempt("", good, embedded=False)
print(json.dumps(results))
