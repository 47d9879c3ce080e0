"""Which models there are, what each can answer, and how to get one."""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from dgm_models import weights
from dgm_models.conditions import Attributes, Beside, Classes, Described, Given, Numbers
from dgm_models.data import FIRST, SETS, Dataset
from dgm_models.modalities import caption, elements
from dgm_models.networks import channels_last
from dgm_models.recipes import RECIPES, Recipe
from dgm_models.spaces import Graphs, Pixels, Space, Tokens

MODELS: dict[str, Recipe] = {recipe.id: recipe for recipe in RECIPES}

MOST_BYTES = 400_000_000  # of the parameters of models kept open
_kept: OrderedDict[str, Loaded] = OrderedDict()
_lock = threading.RLock()  # an aside of a model may be another model
_names: ContextVar[set[str] | None] = ContextVar("names", default=None)

QUESTIONS = ("sample", "restore", "log_prob", "encode")


@dataclass(frozen=True)
class Loaded:
    """A model ready to answer, where its weights came from, and of how many numbers, learned or fitted, those are."""

    model: nn.Module
    source: weights.Source
    parameters: int


def recipe(id: str) -> Recipe:
    """The row of an id; ValueError lists the ids there are."""
    if not isinstance(id, str) or id not in MODELS:
        raise ValueError(f"unknown model {id!r}; there are: {', '.join(MODELS)}")
    return MODELS[id]


def family(id: str) -> type:
    return named(recipe(id).family)


def models_for(question: str, undoes: type | None = None, data: str = FIRST) -> list[str]:
    """The ids of the trained generative models of a data set, in whichever way it is written, that answer "sample", "restore", "log_prob"
    or "encode"; for "restore", of those that undo a measurement such as Hide or Shrink, where one is named."""
    if question not in QUESTIONS:
        raise ValueError(f"expected one of {', '.join(QUESTIONS)}, got {question!r}")
    if data not in SETS:
        raise ValueError(f"expected a data set of {', '.join(SETS)}, got {data!r}")
    known = weights.manifest()
    offered = [id for id, row in MODELS.items() if id in known and data in (row.data, SETS[row.data].of) and row.role != "part"]
    able = [id for id in offered if _answers(MODELS[id], question)]
    return [id for id in able if undoes is None or issubclass(undoes, family(id).restores)]


def data_sets(question: str = "sample", space: Space | None = None) -> list[str]:
    """The data sets of which a trained model answers a question; of that space alone, where one is named."""
    return [data for data, each in SETS.items() if not each.of and models_for(question, data=data) and space in (None, each.space)]


def _answers(row: Recipe, question: str) -> bool:
    kind = named(row.family)
    return row.generative and bool(kind.restores if question == "restore" else getattr(kind, question, None))


def build(row: Recipe, data: Dataset | None = None) -> nn.Module:
    """The model of a recipe with fresh, random parameters, to train on its data set, or on another one."""
    data, kind = data or SETS[row.data], named(row.family)
    if "condition" not in inspect.signature(kind).parameters and not isinstance(data.condition, Classes | Attributes):
        raise ValueError(f"{row.id}: {kind.__name__} takes classes, and {data.title} has {type(data.condition).__name__}")
    config = {**_taken(kind, {"space": data.space, "classes": data.condition.count, "condition": data.condition}), **row.family_config}
    if row.network:
        maker = named(row.network)
        config["network"] = maker(**{**_taken(maker, _about(data)), **row.network_config})
    return kind(**config)


def dataset(id: str) -> Dataset:
    """The data set that a model learned from."""
    return SETS[recipe(id).data]


def across(id: str) -> dict[str, str]:
    """Where this model was trained, of the data sets of its space: data set -> id, its own first. Ids are <model>-<data>."""
    own = recipe(id)
    stem, known, space = id.removesuffix(f"-{own.data}"), weights.manifest(), SETS[own.data].space
    others = {data: f"{stem}-{data}" for data, each in SETS.items() if data != own.data and each.space == space}
    return {own.data: id, **{data: other for data, other in others.items() if other in MODELS and other in known}}


def _about(data: Dataset) -> dict[str, Any]:
    """What a network may have to know of a data set, by the names that networks call it."""
    space = data.space
    known = {"shape": space.shape, "classes": data.condition.count, **dict.fromkeys(("size", "visible", "units"), space.size)}
    given = data.condition.taken[0] if isinstance(data.condition, Given | Beside) else 0
    numbers = data.condition.taken[0] if isinstance(data.condition, Numbers | Described) else 0
    if isinstance(space, Tokens):
        return {**known, "length": space.length, "levels": space.end + 1, "numbers": numbers}
    if isinstance(space, Graphs):
        kinds = {"atoms": space.atoms, "elements": len(space.elements) + 1, "kinds": space.bonds + 1}
        return {**known, **kinds, "given": data.condition.taken[0], "rewards": data.condition.taken[0]}
    if isinstance(data.condition, Attributes):
        known |= {"words": caption.BLANK, "length": caption.MOST_WORDS}
    pictured = {"channels": space.channels, "side": space.height, "given": given} if isinstance(space, Pixels) else {}
    return {**known, "numbers": numbers, **pictured}


def _taken(maker: Callable[..., Any], known: dict[str, Any]) -> dict[str, Any]:
    """Of what is known, what a class takes by its name."""
    return {name: known[name] for name in inspect.signature(maker).parameters if name in known}


def enlarge(row: Recipe) -> Recipe:
    """The recipe for a GPU: the same model, wider and longer."""
    if not row.large:
        raise ValueError(f"{row.id} has no larger recipe")
    nested = {name: {**getattr(row, name), **row.large.get(name, {})} for name in ("network_config", "family_config")}
    return replace(row, **{**row.large, **nested})


def load(id: str) -> nn.Module:
    """A trained model, frozen and in evaluation mode. Raises ValueError for an unknown id, WeightsError without weights."""
    return open_model(id).model


def read(id: str, raw: Any) -> Tensor:
    """What people hold as elements of the space of a model, (n, *shape): one, or a list for a batch (`modalities.elements.read`)."""
    return elements.read(dataset(id).space, raw)


def write(id: str, x: Tensor) -> list[Any]:
    """The inverse of `read`: a list with an item an element."""
    return elements.write(dataset(id).space, x)


def open_for(question: str, id: str) -> Loaded:
    """`open_model` for one that answers the question; ValueError lists those that do."""
    if not _answers(recipe(id), question):
        raise ValueError(f"{id} does not answer {question!r}; these do: {', '.join(models_for(question))}")
    return open_model(id)


def open_model(id: str) -> Loaded:
    """`load`, with where the weights came from; kept, so that a model is read once. Where those kept are more than MOST_BYTES, the one
    that was not asked for the longest is let go, and read again when it is."""
    if (names := _names.get()) is not None:
        names.add(id)
    with _lock:
        if id not in _kept:
            _kept[id] = _opened(id)
        _kept.move_to_end(id)
        while sum(map(_size, _kept.values())) > MOST_BYTES and len(_kept) > 1:
            _kept.popitem(last=False)
        return _kept[id]


@contextmanager
def opened() -> Iterator[set[str]]:
    """The ids of the models that are opened within."""
    names: set[str] = set()
    before = _names.set(names)
    try:
        yield names
    finally:
        _names.reset(before)


def _size(loaded: Loaded) -> int:
    return sum(t.nbytes for t in (*loaded.model.parameters(), *loaded.model.buffers()))


def _opened(id: str) -> Loaded:
    row = recipe(id)
    tensors, source = weights.fetch(id)
    config = weights.manifest()[id]["config"]
    try:
        model = build(replace(row, family_config=config["family"], network_config=config["network"]))
        model.load_state_dict(tensors)
    except (RuntimeError, TypeError) as error:
        raise weights.WeightsError(
            f"weights/{id}/{weights.FILE} does not fit {row.family}: {str(error).splitlines()[-1].strip()}. Train it anew: ./dgm train {id}"
        ) from error
    model.eval().requires_grad_(False)
    channels_last(model)
    return Loaded(model, source, weights.manifest()[id]["parameters"])


def named(dotted: str) -> type:
    module, name = dotted.split(":")
    return getattr(import_module(module), name)
