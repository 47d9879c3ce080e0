"""How a handler meets the world: one model at a time, plain sentences for what went wrong, bodies of a sensible size."""

from __future__ import annotations

import functools
import html
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from dgm_models.weights import WeightsError

MOST_BODY, MOST_UPLOAD = 2_000_000, 12_000_000  # bytes; a photograph of a phone is of 2 to 8 million
MOST_FRAME = 10_000  # around an upload
ALONE = {"concurrency_id": "model", "concurrency_limit": 1, "preprocess": False}
"""Options of every event that runs a model: one queue for all of them, and values as they came, which the handler checks itself."""

_model_thread = threading.Lock()
_places = threading.BoundedSemaphore(8)  # clients that join and cancel in a loop leave the queue, but not the lock


def refusing(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the handler's ValueError or WeightsError into a sentence on the page; the person's state stays as it was.

    A list of one value becomes that value, as Gradio takes it from a handler with one output.
    """

    @functools.wraps(handler)
    def run(*values: Any) -> Any:
        try:
            made = handler(*values)
            return made[0] if isinstance(made, list) and len(made) == 1 else made
        except (ValueError, WeightsError) as error:
            raise refusal(error) from error

    return run


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise refusal("The models are busy with earlier requests. Try again in a few seconds; your state is kept.")
    try:
        yield
    finally:
        _places.release()


def live(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`refusing`, for handlers that run a model: alone, for two models at once on two cores are far slower than in turn."""

    @functools.wraps(handler)
    def run(*values: Any) -> Any:
        with _place(), _model_thread:
            return refusing(handler)(*values)

    return run


def streaming(handler: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """`live`, for a handler that yields its result as it grows. Between two of them others may use the models: a reader who
    leaves stops no one."""

    @functools.wraps(handler)
    def run(*values: Any) -> Iterator[Any]:
        grown, end = handler(*values), object()
        step = refusing(lambda: next(grown, end))
        with _place():
            while True:
                with _model_thread:
                    made = step()
                if made is end:
                    return
                yield made

    return run


def react(events: Iterable[Callable[..., Any]], handler: Callable[..., Any], inputs: list[Any], outputs: list[Any]) -> None:
    """Run the handler after any of the events; of a burst only the last counts.

    Controls share one wiring, for a page is slow to open by the number of its wirings; what follows another event has its own.
    """
    how = {"api_visibility": "private", "trigger_mode": "always_last", **ALONE}
    controls, followers = [], []
    for event in events:
        (controls if getattr(event, "has_trigger", False) else followers).append(event)
    if controls:
        gr.on(controls, handler, inputs, outputs, **how)
    for event in followers:
        event(handler, inputs, outputs, **how)


def refusal(error: Exception | str) -> gr.Error:
    """What went wrong as a sentence on the page; a person's own text in it is escaped."""
    return gr.Error(html.escape(str(error), quote=False), title="Not possible", print_exception=False, duration=10)


def whole(value: Any, label: str, low: int, high: int) -> int:
    """A whole number within limits, or a ValueError that says which."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or value != value or not low <= value <= high or value != int(value):
        raise ValueError(f"{label}: expected a whole number from {low} to {high}, got {str(value)[:40]!r}")
    return int(value)


def one_of(value: Any, label: str, choices: list[str] | tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{label}: expected one of {', '.join(choices)}, got {str(value)[:60]!r}")
    return value


def some_of(value: Any, label: str, choices: list[str]) -> list[str]:
    """At least one of the choices, in their order."""
    if not isinstance(value, list | tuple) or not value or any(v not in choices for v in value):
        raise ValueError(f"{label}: expected at least one of {', '.join(choices)}, got {str(value)[:60]!r}")
    return [choice for choice in choices if choice in value]


class BodyLimit:
    """ASGI middleware: a request body over the limit is refused with 413 before it is read; an upload may be larger."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        most = MOST_UPLOAD + MOST_FRAME if scope["path"].endswith("/gradio_api/upload") else MOST_BODY
        if not length.isdigit() or int(length) > most:
            await self._refuse(send, most)
            return
        taken = 0

        async def counted() -> dict:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                return {"type": "http.disconnect"}
            return message

        await self.app(scope, counted, send)

    async def _refuse(self, send: Callable, most: int) -> None:
        text = f"The request is too large: at most {most // 10**6} MB.".encode()
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": text})
