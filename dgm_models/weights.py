"""The only reader and writer of weights: embedded, then the Hub's cache, then the Hub; sha256 verified on every way in.

Settings come from the environment: DGM_WEIGHTS = auto | embedded | hub says where to look, DGM_HUB_REPO names the repo
(a folder per model). With no network nothing here waits longer than `PROBE_SECONDS`.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

FOLDER = Path(__file__).resolve().parents[1] / "weights"
DEFAULT_REPO = "deep-generative-models/companion"
FILE = "model.safetensors"
PROBE_SECONDS = 2.0


class WeightsError(RuntimeError):
    """Weights are missing or are not what the manifest says; the message names the file and the command that mends it."""


class NotCached(WeightsError):
    """The Hub's local cache has no such file, which is nothing to warn of."""


@dataclass(frozen=True)
class Source:
    """Where weights came from: "embedded", "cached" or "hub", their sha256 and their size in bytes."""

    kind: str
    sha256: str
    bytes: int


def manifest(folder: Path = FOLDER) -> dict[str, Any]:
    """id -> sha256, bytes, config, data, scores, when and how it was trained. Empty where nothing was trained yet."""
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def record(id: str, entry: dict[str, Any], folder: Path = FOLDER) -> None:
    """Merge an entry into the manifest, None to take a key out; the trainer and the evaluator are the only callers."""
    everything = manifest(folder)
    everything[id] = {key: value for key, value in {**everything.get(id, {}), **entry}.items() if value is not None}
    text = json.dumps(dict(sorted(everything.items())), indent=1, ensure_ascii=False) + "\n"
    _replace(folder / "manifest.json", text.encode())


def save(id: str, tensors: dict[str, Tensor], config: dict[str, Any], *, half: bool, folder: Path = FOLDER, **about: Any) -> None:
    """Write <folder>/<id>/ and its manifest entry. `half` stores float32 tensors in 16 bits, which halves the file."""
    place = folder / id
    place.mkdir(parents=True, exist_ok=True)
    packed = {name: (t.half() if half and t.dtype == torch.float32 else t).contiguous().cpu() for name, t in tensors.items()}
    for name, t in packed.items():
        if t.is_floating_point() and not torch.isfinite(t).all():
            raise WeightsError(f"{id}: {name} is not finite" + (" in 16 bits" if half else "") + "; not saved")
    save_file(packed, place / FILE)
    os.chmod(place / FILE, 0o644)
    (place / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    raw = (place / FILE).read_bytes()
    parameters = sum(t.numel() for t in packed.values())
    record(
        id,
        {"sha256": _sha(raw), "bytes": len(raw), "parameters": parameters, "config": config, "scores": {}, "borrows": None, **about},
        folder,
    )


def borrow(id: str, lender: str, prefixes: Mapping[str, str], folder: Path = FOLDER) -> int:
    """Take out of a model's file what another's file holds bit for bit, and let the manifest refer to that: of every prefix of names here,
    the prefix there. Returns how many tensors are borrowed; none, and nothing changes, where they are not the same."""
    entry, lent = manifest(folder)[id], manifest(folder)[lender]
    mine, theirs = load(_embedded(id, folder).read_bytes()), _stored(lender, folder)
    names = _lent(theirs, prefixes)
    same = lambda a, b: a is not None and a.dtype == b.dtype and torch.equal(a, b)  # noqa: E731
    if not names or not all(same(mine.get(name), t) for name, t in names.items()):
        return 0
    save_file({name: t for name, t in mine.items() if name not in names}, folder / id / FILE)
    os.chmod(folder / id / FILE, 0o644)
    raw = (folder / id / FILE).read_bytes()
    refers = {"id": lender, "sha256": lent["sha256"], "prefixes": dict(prefixes)}
    record(id, {"sha256": _sha(raw), "bytes": len(raw), "parameters": entry["parameters"], "borrows": refers}, folder)
    return len(names)


def _stored(id: str, folder: Path) -> dict[str, Tensor]:
    """The tensors of an embedded model as they are stored, with those that it borrows."""
    found, refers = load(_embedded(id, folder).read_bytes()), manifest(folder)[id].get("borrows")
    return found if refers is None else found | _lent(_stored(refers["id"], folder), refers["prefixes"])


def _lent(theirs: dict[str, Tensor], prefixes: Mapping[str, str]) -> dict[str, Tensor]:
    """Another's tensors under the names that they have here."""
    pairs = [(name, t, here, there) for here, there in prefixes.items() for name, t in theirs.items()]
    return {here + name.removeprefix(there): t for name, t, here, there in pairs if name.startswith(there)}


def _with_borrowed(id: str, own: dict[str, Tensor], entry: dict[str, Any], folder: Path) -> dict[str, Tensor]:
    """The tensors of a model's own file, and those that it refers to. WeightsError where the other file is no longer what it was."""
    refers = entry.get("borrows")
    if refers is None:
        return own
    lender = refers["id"]
    if manifest(folder).get(lender, {}).get("sha256") != refers["sha256"]:
        raise WeightsError(f"{id} refers to weights of {lender} that are no longer there. Train it anew: ./dgm train {id}")
    theirs, _ = fetch(lender, folder)
    return own | _lent(theirs, refers["prefixes"])


def fetch(id: str, folder: Path = FOLDER) -> tuple[dict[str, Tensor], Source]:
    """The tensors of a model, float32, and where they came from. Raises WeightsError, never falls back on chance."""
    wanted = manifest(folder).get(id)
    if wanted is None:
        raise WeightsError(f"no weights for {id}: the manifest does not list it. Train it with: ./dgm train {id}")
    where = os.environ.get("DGM_WEIGHTS", "auto")
    if where not in ("auto", "embedded", "hub"):
        raise WeightsError(f"DGM_WEIGHTS: expected auto, embedded or hub, got {where!r}")
    mend = f"Restore them with: git checkout weights/{id}, or train: ./dgm train {id}"
    problems: list[str] = []
    worth_saying = False
    ways = {"auto": (_embedded, _cached, _from_hub), "embedded": (_embedded,), "hub": (_cached, _from_hub, _embedded)}[where]
    for way in ways:
        kind = way.__name__.removeprefix("_from_").lstrip("_")
        try:
            tensors = _with_borrowed(id, _read(way(id, folder), wanted), wanted, folder)
        except WeightsError as error:
            problems.append(f"{kind}: {error}")
            worth_saying |= not isinstance(error, NotCached)
            continue
        if worth_saying:
            warnings.warn("\n  ".join([f"{id}: the {kind} weights are in use.", *problems, mend]), stacklevel=2)
        return tensors, Source(kind, wanted["sha256"], wanted["bytes"])
    raise WeightsError("\n  ".join([f"no usable weights for {id}.", *problems, mend]))


def verified(id: str, folder: Path = FOLDER) -> dict[str, Tensor]:
    """The embedded tensors of a model, or WeightsError where they are not what the manifest says."""
    return _read(_embedded(id, folder), manifest(folder)[id])


def repo(folder: Path = FOLDER) -> str:
    """The Hub repo: what DGM_HUB_REPO says, else where `publish` last put these weights."""
    return os.environ.get("DGM_HUB_REPO") or manifest(folder).get("_hub", {}).get("repo", DEFAULT_REPO)


def revision(folder: Path = FOLDER) -> str:
    """The commit that `publish` pinned in the manifest where the repo is the one it wrote to; else the main branch."""
    pinned = manifest(folder).get("_hub", {})
    return os.environ.get("DGM_HUB_REVISION") or (pinned["revision"] if pinned.get("repo") == repo(folder) else "main")


def _embedded(id: str, folder: Path) -> Path:
    path = folder / id / FILE
    if not path.is_file():
        raise WeightsError(f"{path} is missing")
    return path


def _cached(id: str, folder: Path) -> Path:
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(repo(folder), f"{id}/{FILE}", revision=revision(folder))
    except ValueError as error:
        raise WeightsError(f"DGM_HUB_REPO: expected owner/name, got {repo(folder)!r}") from error
    if not isinstance(found, str):
        raise NotCached(f"{repo(folder)} holds no {id}/{FILE} in the local Hub cache")
    return Path(found)


def _from_hub(id: str, folder: Path) -> Path:
    from huggingface_hub import hf_hub_download, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
    from huggingface_hub.utils import httpx

    if not reachable():
        raise WeightsError(f"the Hub does not answer within {PROBE_SECONDS:g} s")
    name, file, at = repo(folder), f"{id}/{FILE}", {"revision": revision(folder), "endpoint": endpoint()}
    try:
        _refuse_broken(hf_hub_url(name, file, **at))
        fresh = {"force_download": True} if _cached_is_bad(id, folder) else {}
        return Path(hf_hub_download(name, file, **at, etag_timeout=PROBE_SECONDS, **fresh))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, httpx.HTTPError, OSError, ValueError) as error:
        said = (str(error).splitlines() or ["no reason given"])[0]
        raise WeightsError(f"{name}/{file}: {type(error).__name__}: {said}") from error


def _refuse_broken(url: str) -> None:
    """A server that is out of order is asked once; the Hub client alone would try again for half a minute."""
    from huggingface_hub.utils import get_session, httpx

    try:
        status = get_session().head(url, timeout=PROBE_SECONDS).status_code
    except httpx.HTTPError as error:
        raise WeightsError(f"{url}: {type(error).__name__}") from error
    if status >= 500:
        raise WeightsError(f"{url} answers {status}")


def _cached_is_bad(id: str, folder: Path) -> bool:
    """A damaged file in the cache would be handed out again by the Hub client, which does not verify."""
    try:
        _read(_cached(id, folder), manifest(folder)[id])
    except WeightsError as error:
        return not isinstance(error, NotCached)
    return False


def reachable() -> bool:
    """Whether the Hub answers a HEAD request within PROBE_SECONDS; asked once a minute at most."""
    import time

    return _probe(endpoint(), int(time.monotonic() // 60))


@lru_cache(maxsize=8)
def _probe(address: str, minute: int) -> bool:
    import threading

    from huggingface_hub.utils import get_session

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return False
    answered = threading.Event()

    def ask() -> None:
        try:
            get_session().head(address, timeout=PROBE_SECONDS)
        except Exception:
            return
        answered.set()

    # name resolution has no time-out of its own, so the wait is bounded from outside
    threading.Thread(target=ask, daemon=True).start()
    return answered.wait(PROBE_SECONDS)


def endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _read(path: Path, wanted: dict[str, Any]) -> dict[str, Tensor]:
    raw = path.read_bytes()
    found = _sha(raw)
    if found != wanted["sha256"]:
        raise WeightsError(f"{path} is damaged: sha256 {found[:12]}..., expected {wanted['sha256'][:12]}...")
    try:
        tensors = load(raw)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is not a safetensors file: {error}") from error
    for name, t in tensors.items():
        if t.is_floating_point() and not torch.isfinite(t).all():
            raise WeightsError(f"{path}: {name} is not finite")
    return {name: t.float() if t.dtype in (torch.float16, torch.bfloat16) else t for name, t in tensors.items()}


def _sha(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _replace(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(raw)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
