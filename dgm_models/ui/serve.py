"""How a handler meets the world: results made in turns and shared, plain sentences for what went wrong, bodies of a sensible size."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import html
import inspect
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl

import gradio as gr
from gradio.blocks import BlocksConfig
from gradio.context import LocalContext

from dgm_models.turns import Crowded, Dropped
from dgm_models.ui.results import Answer, Results
from dgm_models.weights import WeightsError

MOST_BODY, MOST_UPLOAD = 2_000_000, 12_000_000  # bytes; a photograph of a phone is of 2 to 8 million
MOST_FRAME = 10_000  # around an upload
LOOK = 0.5  # seconds between two looks at the line, for a person who waits
MODEL_EVENT = {"concurrency_limit": None, "preprocess": False}
"""Options of every event that runs a model: it waits in our own line, and takes values as they came, which the handler checks itself."""

STOPPING = "The server is about to start anew before this was done. Ask again in a minute; what you have here is kept."

results = Results()
_latest: dict[tuple[str, str], Callable[[], None]] = {}  # (page, panel) -> wakes whoever asked last there
_asked: OrderedDict[tuple[str, str], str | None] = OrderedDict()  # (page, panel) -> the key of what was asked last there
MOST_ASKED = 5_000


class Panel(Protocol):
    """What makes results: see `widgets.Live`."""

    address: str
    grows: bool
    names: list[str]
    inputs: list[Any]
    outputs: list[Any]

    def key(self, values: Sequence[Any]) -> str | None: ...
    def kind(self, values: Sequence[Any]) -> Hashable: ...
    def make(self, values: Sequence[Any]) -> Iterator[list[Any]]: ...


async def answers(panel: Panel, values: Sequence[Any], page: str) -> AsyncIterator[list[Any]]:
    """The parts of a result as they come, the whole one last. Nothing more comes where the page has asked this panel anew, or is gone:
    what is then waited for by nobody is dropped. While it waits, the page is told its place in the line."""
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the server may have stopped since
            loop.call_soon_threadsafe(woken.set)

    place, version = (page, panel.address), 0
    _ask_anew(place, wake, panel.key(values))
    try:
        kind = panel.address, panel.kind(values)
        answer = results.ask(panel.key(values), kind, lambda: panel.make(values), wake)
        try:
            while not answer.over:
                if answer.version > version:
                    version = answer.version
                    yield answer.values
                try:
                    await asyncio.wait_for(woken.wait(), LOOK)
                except TimeoutError:
                    _say_place(answer)
                woken.clear()
                if _latest.get(place) is not wake or _is_gone():
                    return
                if answer.work is not None and answer.work.dropped:  # by nobody's leave: the server is about to stop
                    raise refusal(STOPPING)
        finally:
            results.leave(answer, wake)
    except Crowded as error:
        raise refusal(error) from error
    finally:
        if _latest.get(place) is wake:
            del _latest[place]
    if isinstance(answer.error, Dropped):
        raise refusal(STOPPING)
    if answer.error is not None:
        _remember(place, None)
        raise _plain(answer.error)
    if answer.version > version:
        yield answer.values


async def whole_answer(panel: Panel, values: Sequence[Any], page: str) -> list[Any] | None:
    """The whole result; None where the page has asked anew, or is gone."""
    whole = None
    async for part in answers(panel, values, page):
        whole = part
    return whole


def _ask_anew(place: tuple[str, str], wake: Callable[[], None], key: str | None) -> None:
    older = _latest.get(place)
    _latest[place] = wake
    _remember(place, key)
    if older is not None:
        older()


def _remember(place: tuple[str, str], key: str | None) -> None:
    """What a page asked of a panel last; None where it does not show that."""
    _asked[place] = key
    _asked.move_to_end(place)
    if len(_asked) > MOST_ASKED:
        _asked.popitem(last=False)


def _is_there(panel: Panel, values: Sequence[Any], page: str) -> bool:
    """Whether a page shows this result of a panel already, or is about to."""
    key = panel.key(values)
    first = panel.key([each.value for each in panel.inputs])
    return key is not None and key == _asked.get((page, panel.address), first)


def stopping(panel: Panel) -> Callable[..., None]:
    """The handler of a person who waits no more: what is there stays, and the rest is dropped."""

    def stop(request: gr.Request) -> None:
        place = request.session_hash or "", panel.address
        _remember(place, None)
        if (older := _latest.pop(place, None)) is not None:
            older()

    return stop


def _say_place(answer: Answer) -> None:
    """To the page, where gradio shows progress."""
    if (line := results.line(answer)) is not None and line[0]:
        before, seconds = line
        gr.Progress()((before, None), unit=f"before you, about {max(1, round(seconds))} s")


def _is_gone() -> bool:
    """Whether the client that this event answers has hung up."""
    blocks, event = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    known = blocks and event and blocks._queue.event_ids_to_events.get(event)
    return bool(known) and not known.alive


def answering(panel: Panel, always: bool = True) -> Callable[..., Any]:
    """The handler of a panel for gradio. Its parameters are called as the fields are, so that the API has names. Unless it is to act
    `always`, values that did not change since the page asked last do nothing: a person may walk over a control with the Tab key."""
    nothing = [gr.skip()] * len(panel.outputs)

    async def grow(request: gr.Request, *values: Any) -> AsyncIterator[Any]:
        if not always and _is_there(panel, values, request.session_hash or ""):
            yield _alone(nothing)
            return
        async for part in answers(panel, values, request.session_hash or ""):
            yield _alone(delivered(part))

    async def run(request: gr.Request, *values: Any) -> Any:
        if not always and _is_there(panel, values, request.session_hash or ""):
            return _alone(nothing)
        made = await whole_answer(panel, values, request.session_hash or "")
        return _alone(delivered(made or nothing))

    return _named(grow if panel.grows else run, panel.names)


def _named(handler: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    handler.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in ("request", *names)])
    handler.__annotations__ = {"request": gr.Request}
    return handler


def delivered(values: list[Any]) -> list[Any]:
    """Values for a page: it passes on what differs, and the same result, asked for again, plays again."""
    own = lambda value: isinstance(value, dict) and "__type__" not in value  # noqa: E731
    return [{**value, "made": time.time_ns()} if own(value) else value for value in values]


def _alone(values: list[Any]) -> Any:
    """As Gradio takes the values of a handler's outputs: one value without its list."""
    return values[0] if len(values) == 1 else values


def refusing(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a quick handler's ValueError or WeightsError into a sentence on the page; the person's state stays as it was."""

    @functools.wraps(handler)
    def run(*values: Any) -> Any:
        try:
            made = handler(*values)
            return _alone(made) if isinstance(made, list) else made
        except Exception as error:
            raise _plain(error) from error

    return run


def _plain(error: Exception) -> Exception:
    """What a person can mend as a sentence; anything else as it is."""
    return refusal(error) if isinstance(error, ValueError | WeightsError) else error


def react(events: Iterable[Callable[..., Any]], panel: Panel, api_name: str | None = None, always: bool = False) -> None:
    """Make the panel's result after any of the events, where a value changed, or `always`; what it was making is dropped.

    Controls share one wiring, for a page is slow to open by the number of its wirings; what follows another event has its own.
    """
    how = {"trigger_mode": "multiple", **MODEL_EVENT, **({"api_name": api_name} if api_name else {"api_visibility": "private"})}
    handler = answering(panel, always or bool(api_name))
    controls, followers = [], []
    for event in events:
        (controls if getattr(event, "has_trigger", False) else followers).append(event)
    if controls:
        gr.on(controls, handler, panel.inputs, panel.outputs, **how)
    for event in followers:
        event(handler, panel.inputs, panel.outputs, **how)


class _Light(BlocksConfig):
    """What gradio copies for each visit, without a configuration of all components, which only its deep links need; links are our own."""

    def __copy__(self) -> BlocksConfig:
        visit = super().__copy__()
        visit.config_for_block = lambda *_: {}
        return visit


def light_visits(demo: gr.Blocks) -> None:
    """Let a visit cost next to nothing: with 750 components that configuration is 80 ms of the one thread that answers everybody, and
    memory that is held for an hour."""
    demo.default_config.__class__ = _Light


def refusal(error: Exception | str) -> gr.Error:
    """What went wrong as a sentence on the page; a person's own text in it is escaped."""
    return gr.Error(html.escape(str(error), quote=False), title="Not possible", print_exception=False, duration=10)


def whole(value: Any, label: str, low: int, high: int) -> int:
    """A whole number within limits, or a ValueError that says which."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or value != value or not low <= value <= high or value != int(value):
        raise ValueError(f"{label}: expected a whole number from {low} to {high}, got {str(value)[:40]!r}")
    return int(value)


def number(value: Any, label: str, low: float, high: float) -> float:
    """A number within limits, or a ValueError that says which."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{label}: expected a number from {low:g} to {high:g}, got {str(value)[:40]!r}")
    return float(value)


def yes_or_no(value: Any, label: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{label}: expected true or false, got {str(value)[:40]!r}")
    return value


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


class Signpost:
    """ASGI middleware of the pages. An address of a page that names the tab of another one is sent there, so that links are short, and old
    ones keep working. `paths`: address of a panel -> path of its page. `cover`: what other sites show of a page, which is put before what
    Gradio says of itself."""

    def __init__(self, app: Callable[..., Awaitable[None]], paths: dict[str, str], cover: str) -> None:
        self.app, self.paths, self.cover = app, paths, cover.encode()

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        page = scope.get("path", "").removeprefix(scope.get("root_path", "")).removeprefix("/")
        if scope["type"] != "http" or scope["method"] != "GET" or page not in self.paths.values():
            await self.app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        path = self.paths.get(dict(parse_qsl(query)).get("tab", ""), page)
        if path != page:
            where = f"{path or './'}?{query}".encode("latin-1")
            await send({"type": "http.response.start", "status": 307, "headers": [(b"location", where)]})
            await send({"type": "http.response.body", "body": b""})
            return
        start, parts = {}, []

        async def covered(message: dict) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = b"".join(parts).replace(b"<head>", b"<head>" + self.cover, 1)
            headers = [each for each in start["headers"] if each[0] != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, covered)
