"""First results: what a visitor finds in each view, made once with `python -m dgm_models paint` and kept in assets/first,
compressed as the page is sent them.

Each carries a stamp of what it was made from: its address with all settings, the models that were opened for it, and the function that
asked them. Where the stamp still fits, nothing is made anew; where it does not and the same picture comes out, the old file stays but for
its stamp. What a machine or a moment adds, such as milliseconds, is left out.
"""

from __future__ import annotations

import gzip
import hashlib
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
from gradio.processing_utils import move_files_to_cache

from dgm_models import catalog, weights
from dgm_models.applications.receipt import untimed
from dgm_models.modalities import dots, image
from dgm_models.ui.widgets import ASSETS, Live

FOLDER, PLACE = ASSETS / "first", "gradio_api/first"  # here, and where the page finds it
ENDING = ".json.gz"
LARGE = 10_000  # characters: a value that a page had better fetch when it is looked at
NEAR = 2  # levels of 255 by which two machines may differ in a pixel
Values = list[Any]


def show_first(panel: Live) -> None:
    """Give the panel's outputs, already built, the values that a visitor finds: the stored ones if they were made with the weights that
    are here, else made now. A stored film is only named: the player fetches it when its tab is opened."""
    stored = current(panel) if panel.stored else None
    values = panel.whole(defaults(panel)) if stored is None else [_named(panel, at, value) for at, value in enumerate(stored)]
    for component, value in zip(panel.outputs, values, strict=True):
        component.value = move_files_to_cache(component.postprocess(value), component, postprocess=True, keep_in_cache=True)


def current(panel: Live) -> Values | None:
    """The stored first result, where it was made from what is here."""
    kept = read(path_of(panel.address))
    return kept["values"] if kept and kept["stamp"] == stamp(panel, kept["stamp"]["models"]) else None


def paint(panel: Live) -> str:
    """Make the stored first result what it should be. Returns what was done: "kept", "stamped", "painted"."""
    if current(panel) is not None:
        return "kept"
    with untimed(), catalog.opened() as models:
        values = json.loads(json.dumps(panel.whole(defaults(panel))))
    old = read(path_of(panel.address))
    same = old is not None and alike(old["values"], values)
    kept = {"stamp": stamp(panel, sorted(models)), "values": old["values"] if same else values}
    FOLDER.mkdir(exist_ok=True)
    path_of(panel.address).write_bytes(gzip.compress(json.dumps(kept).encode(), mtime=0))
    return "stamped" if same else "painted"


def forget(panels: list[Live]) -> None:
    """Delete what belongs to no panel."""
    mine = {path_of(panel.address) for panel in panels}
    for path in FOLDER.glob("*"):
        if path not in mine:
            path.unlink()


def path_of(address: str) -> Path:
    """Where the first result of the panel at an address is kept."""
    return FOLDER / f"{address.replace('.', '-')}{ENDING}"


def read(path: Path) -> dict[str, Any] | None:
    """What is kept there: {stamp, values}; None where nothing is."""
    return json.loads(gzip.decompress(path.read_bytes())) if path.is_file() else None


def stamp(panel: Live, models: list[str] | dict[str, str]) -> dict[str, Any]:
    """What a first result is made from: address and settings, the weights of the models, the function that makes it."""
    known = weights.manifest()
    hashes = {id: known[id]["sha256"][:12] for id in models if id in known}
    return {"link": panel.link(defaults(panel)), "models": hashes, "function": _source(panel.run)}


def defaults(panel: Live) -> Values:
    """The state that a visitor finds."""
    return [each.value for each in panel.inputs]


def alike(a: Any, b: Any) -> bool:
    """Whether two results look the same: pictures within NEAR levels, numbers closely, texts but for their numbers' last places."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, str) and isinstance(b, str):
        if a.startswith("data:"):
            return a == b or _pictures_alike(a, b) if a.startswith("data:image/") else _places_alike(a, b)
        return _texts_alike(a, b)
    if isinstance(a, float) or isinstance(b, float):
        return bool(np.isclose(a, b, rtol=1e-3, atol=1e-3))
    return a == b


def _pictures_alike(a: str, b: str) -> bool:
    one, other = (image.from_data_url(each).astype(int) for each in (a, b))
    if one.shape != other.shape:
        return False
    if a.startswith("data:image/jpeg"):  # which turns a level into several here and there
        return abs(one - other).mean() < 0.5
    return (abs(one - other) <= NEAR).mean() > 0.999


def _places_alike(a: str, b: str) -> bool:
    one, other = (dots.places(each).astype(int) for each in (a, b))
    return one.shape == other.shape and bool((abs(one - other) <= NEAR).all())


def _texts_alike(a: str, b: str) -> bool:
    number = re.compile(r"-?\d+\.?\d*")
    if number.sub("#", a) != number.sub("#", b):
        return False
    return bool(np.allclose([float(n) for n in number.findall(a)], [float(n) for n in number.findall(b)], rtol=1e-2, atol=0.5))


def _source(run: Callable[..., Any]) -> str:
    """Of a panel's function, and of all functions of tabs and applications that it comes to by name or closes over."""
    found: dict[str, str] = {}
    _gather(run, found)
    return hashlib.sha256("".join(found[name] for name in sorted(found)).encode()).hexdigest()[:12]


def _gather(run: Callable[..., Any], found: dict[str, str]) -> None:
    name = f"{run.__module__}.{run.__qualname__}"
    if name in found:
        return
    found[name] = inspect.getsource(run)
    names = _names(run.__code__)
    named = [run.__globals__.get(each) for each in names]
    of_modules = [getattr(module, each, None) for module in named if inspect.ismodule(module) for each in names]
    held = [cell.cell_contents for cell in run.__closure__ or ()]
    for each in (*named, *of_modules, *held):
        for one in vars(each).values() if inspect.isclass(each) else [each]:
            one = inspect.unwrap(one) if callable(one) else one  # below what keeps or times it
            mine = inspect.isfunction(one) and one.__module__.startswith(("dgm_models.applications", "dgm_models.ui.tabs"))
            if mine and "dgm_models" in Path(one.__code__.co_filename).parts:  # not what a dataclass adds to itself
                _gather(one, found)


def _names(code: CodeType) -> set[str]:
    """What code refers to by name, with all that is written within it."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _named(panel: Live, at: int, value: Any) -> Any:
    """A film, or what else is large, by its address beside the page, which is another one when the file changes, so that no browser shows
    what it kept."""
    if not isinstance(value, dict) or ("rows" not in value and len(json.dumps(value)) < LARGE):
        return value
    path = path_of(panel.address)
    return {"stored": f"{PLACE}/{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}", "number": at}
