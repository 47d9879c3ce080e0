"""First results: what a visitor finds in each tab, made once with `python -m dgm_models paint` and kept in assets/first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import move_files_to_cache

from dgm_models import catalog, weights
from dgm_models.ui.widgets import ASSETS

FOLDER, PLACE = ASSETS / "first", "gradio_api/first"  # here, and where the page finds it
_painting = False


def first(name: str, outputs: list[gr.components.Component], make: Callable[[], list[Any]], stored: bool = True) -> None:
    """Give components, already built, the values that a visitor finds: the stored ones if they were made with the weights
    that are here, else made now. A stored film is only named: the player fetches it when its tab is opened."""
    values = _stored(name) if stored and not _painting else None
    if values is None:
        values = make()
        if stored and _painting:
            _store(name, values)
    for component, value in zip(outputs, values, strict=True):
        component.value = move_files_to_cache(component.postprocess(value), component, postprocess=True, keep_in_cache=True)


@contextmanager
def painting() -> Iterator[None]:
    """Within this, first results are made anew and stored."""
    global _painting
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*"):
        old.unlink()
    _painting = True
    try:
        yield
    finally:
        _painting = False


def stamp() -> str:
    """Changes with any weights, with the knobs that models are drawn with, and with the code that draws."""
    known = [(id, entry["sha256"]) for id, entry in weights.manifest().items() if id in catalog.MODELS]
    listed = sorted(f"{id} {sha256}" for id, sha256 in known)
    return hashlib.sha256("\n".join([*listed, _code()]).encode()).hexdigest()[:16]


@cache
def _code() -> str:
    package = Path(catalog.__file__).parent
    files = sorted(path for part in ("", "applications/", "families/", "networks/") for path in package.glob(f"{part}*.py"))
    return "\n".join(path.read_text() for path in files)


def _stored(name: str) -> list[Any] | None:
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    kept = json.loads(path.read_text())
    if kept["weights"] != stamp():
        return None
    return [_found(name, at, value) for at, value in enumerate(kept["values"])]


def _found(name: str, at: int, value: Any) -> Any:
    return {"stored": _address(f"{name}.json"), "at": at} if _is_film(value) else value


def _is_film(value: Any) -> bool:
    return isinstance(value, dict) and "rows" in value


def _store(name: str, values: list[Any]) -> None:
    kept = [{**value, "files": _copied(name, value["files"])} if _is_film(value) else value for value in values]
    (FOLDER / f"{name}.json").write_text(json.dumps({"weights": stamp(), "values": kept}) + "\n")


def _copied(name: str, files: dict[str, Any]) -> dict[str, Any]:
    """Files to save, by ending, copied to where the page gets them."""
    for ending, file in files.items():
        (FOLDER / f"{name}.{ending}").write_bytes(Path(file["path"]).read_bytes())
    return {ending: {"url": _address(f"{name}.{ending}"), "orig_name": f"{name}.{ending}"} for ending in files}


def _address(file: str) -> str:
    """Of a file in FOLDER, beside the page; another one when what it holds changes, so that no browser shows what it kept."""
    return f"{PLACE}/{file}?v={hashlib.sha256((FOLDER / file).read_bytes()).hexdigest()[:12]}"
