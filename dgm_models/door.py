"""What Python users pass, at the door of a family: arrays become float32 tensors, what cannot be taken is refused in a sentence, and what
is made within is float32 whatever torch's default is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

VERBS = ("sample", "trace", "log_prob", "encode", "decode", "restore")
TAKE_A_BATCH = ("log_prob", "encode", "decode", "restore")  # as their first argument


def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """A verb of a family behind its door."""
    takes, (_, name, *_) = method.__name__ in TAKE_A_BATCH, inspect.signature(method).parameters

    def taken(self: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        dtype = self.code_dtype if method.__name__ == "decode" else self.space.dtype
        if takes and given:
            return (_batch(given[0], dtype), *given[1:]), named
        return given, {**named, name: _batch(named[name], dtype)} if takes and name in named else named

    @functools.wraps(method)
    def steps(self: Any, *given: Any, **named: Any) -> Iterator[Any]:
        given, named = taken(self, given, named)
        frames = method(self, *given, **named)
        while True:
            with single_precision():
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    @functools.wraps(method)
    def call(self: Any, *given: Any, **named: Any) -> Any:
        given, named = taken(self, given, named)
        with single_precision():
            return method(self, *given, **named)

    return steps if inspect.isgeneratorfunction(inspect.unwrap(method)) else call


def _batch(x: Any, dtype: torch.dtype) -> Tensor:
    """x as a tensor of numbers, at least one row of them."""
    if not isinstance(x, Tensor):
        try:
            x = torch.as_tensor(np.asarray(x))
        except (TypeError, ValueError) as error:
            raise ValueError(f"expected a tensor or an array of numbers, got {type(x).__name__}") from error
    if x.is_complex():
        raise ValueError(f"expected real numbers, got {x.dtype}")
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f"expected a batch of at least one element, got shape {tuple(x.shape)}")
    return x.to(dtype)


def single_precision() -> AbstractContextManager[Any]:
    """Within this, of this thread alone, torch makes float32 where nothing asks for more."""
    return nullcontext() if torch.get_default_dtype() == torch.float32 else _SinglePrecision()


class _SinglePrecision(TorchFunctionMode):
    """What becomes float64 only because that is the default becomes float32; chance is drawn in float32, so that seeds mean the same."""

    DRAWN = (torch.rand, torch.randn, torch.linspace, torch.logspace, torch.zeros, torch.ones, torch.empty, torch.eye)
    ASKED = (Tensor.double, Tensor.to, Tensor.type)

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func in self.DRAWN and kwargs.get("dtype") is None:
            kwargs = {**kwargs, "dtype": torch.float32}
        made = func(*args, **kwargs)
        if not isinstance(made, Tensor) or made.dtype != torch.float64 or func in self.ASKED or kwargs.get("dtype") is not None:
            return made
        given = [each for each in (*args, *kwargs.values()) for each in (each if isinstance(each, list | tuple) else [each])]
        doubles = any(isinstance(each, Tensor) and each.dtype == torch.float64 for each in given)
        return made if doubles else made.float()
