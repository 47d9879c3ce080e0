"""Whose turn it is to use the models: one piece of work at a time, the short ones soon, the long ones in parts.

Two models at once on two cores are far slower than one after the other, so work runs alone. Where it calls `pause` (each evaluation of
a network does), work that has waited long for its size goes first: highest response ratio next (Hansen, 1971), (waited + expected) /
expected, here with what is left to do instead of the whole, so that equals keep their order and nothing waits for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

MOST_WAITING = 400  # pieces of work; a person asks for one at a time
MOST_PAUSED = 6  # each holds a thread and a half-made film
MOMENT, AT_ONCE = 0.1, 1e6  # seconds; and how much more urgent such work is: a crowd that has waited for minutes does not hold it up
GRAIN = 0.01  # seconds between two looks at who waits
_here = threading.local()
T = TypeVar("T")


class Dropped(Exception):
    """Nobody waits for this work any more."""


class Crowded(RuntimeError):
    """More work waits than is taken; the message is for the person who asked."""


class Work:
    """One piece of work, which runs in a thread of its own once it is its turn."""

    def __init__(self, make: Callable[[], Any], expected: float) -> None:
        self.make, self.expected = make, max(expected, 1e-3)
        self.arrived = self.since = time.monotonic()
        self.used = self.paused = 0.0  # seconds
        self.started = self.dropped = False
        self.turn = threading.Event()

    @property
    def left(self) -> float:
        """Seconds that it may still take: what was expected less what it used; once that is over, as much again as it went over."""
        return max(self.expected - self.used, 1.1 * self.used - self.expected, 0.1 * self.expected)

    def urgency(self, now: float) -> float:
        """How long it is here, over how long it may still take; what takes a moment goes before all that takes longer."""
        if self.dropped:
            return float("inf")
        return (now - self.arrived) / self.left * (AT_ONCE if self.left < MOMENT else 1.0)


class Turns:
    """One after another: `enter` takes work, `pause` lets more urgent work pass."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.most, self.running = most, None
        self._waiting: list[Work] = []
        self._lock, self._closing = threading.Lock(), False
        self._threads = ThreadPoolExecutor(MOST_PAUSED + 2, thread_name_prefix="model")

    @property
    def waiting(self) -> int:
        """Pieces of work that wait, those paused among them."""
        return len(self._waiting)

    def enter(self, make: Callable[[], Any], expected: float) -> Work:
        """Take work that may need so many seconds. Crowded where too much waits already, or where the server is about to stop."""
        work = Work(make, expected)
        with self._lock:
            if self._closing:
                raise Crowded("The server is about to start anew. Try again in a minute; what you have here is kept.")
            if len(self._waiting) >= self.most:
                raise Crowded(f"More than {self.most} requests are waiting. Try again in a minute; what you have here is kept.")
            self._waiting.append(work)
            if self.running is None:
                self._next()
        return work

    def drop(self, work: Work) -> None:
        """End it where it waits, or at its next pause."""
        with self._lock:
            work.dropped = True
            if work in self._waiting and not work.started:
                self._waiting.remove(work)

    def close(self, seconds: float) -> list[Work]:
        """Take no more work, and wait so long for what is there; returns what was not done by then, dropped."""
        until = time.monotonic() + seconds
        with self._lock:
            self._closing = True
        while (self.running is not None or self._waiting) and time.monotonic() < until:
            time.sleep(0.05)
        with self._lock:
            left = [*self._waiting, *filter(None, [self.running])]
        for work in left:
            self.drop(work)
        return left

    def line(self, work: Work) -> tuple[int, float] | None:
        """How many are before it and the seconds until it is done, as far as one can tell; None where it is done."""
        with self._lock:
            now = time.monotonic()
            if work is self.running:
                return 0, max(work.left - (now - work.since), 0.0)
            if work not in self._waiting:
                return None
            mine = work.urgency(now)
            before = [each for each in self._waiting if each is not work and each.urgency(now) > mine]
            seconds = sum(each.left for each in before) + work.left
            if self.running is not None:
                seconds += self.running.left
            return len(before) + (self.running is not None), seconds

    def pause(self, work: Work) -> None:
        """Called by running work, in its thread: returns when it is its turn again. Dropped where nobody waits for it."""
        if work.dropped:
            raise Dropped
        now = time.monotonic()
        if now - work.since < GRAIN:
            return
        with self._lock:
            work.used, work.since = work.used + now - work.since, now
            other = self._most_urgent(now)
            if other is None or other.urgency(now) <= work.urgency(now):
                return
            work.turn.clear()
            self._waiting.append(work)
            self._start(other)
        work.turn.wait()
        work.since = time.monotonic()
        work.paused += work.since - now
        if work.dropped:
            raise Dropped

    def _most_urgent(self, now: float) -> Work | None:
        paused = [each for each in self._waiting if each.started]
        able = paused if len(paused) >= MOST_PAUSED else self._waiting
        return max(able, key=lambda each: each.urgency(now), default=None)

    def _next(self) -> None:
        self.running = None
        if (work := self._most_urgent(time.monotonic())) is not None:
            self._start(work)

    def _start(self, work: Work) -> None:
        self._waiting.remove(work)
        self.running = work
        if work.started:
            work.turn.set()
        else:
            work.started = True
            self._threads.submit(self._run, work)

    def _run(self, work: Work) -> None:
        _here.work, _here.turns, work.since = work, self, time.monotonic()
        try:
            work.make()
        finally:
            work.used += time.monotonic() - work.since
            _here.work = None
            with self._lock:
                self._next()


def pause() -> None:
    """Within work that takes turns: let more urgent work pass. Elsewhere nothing happens."""
    if (work := getattr(_here, "work", None)) is not None:
        _here.turns.pause(work)


@contextmanager
def for_all() -> Iterator[None]:
    """Within this, work is done once for all who ask later: no receipt counts it, or one state would have two receipts."""
    before, _here.for_all = is_for_all(), True
    try:
        yield
    finally:
        _here.for_all = before


def is_for_all() -> bool:
    return getattr(_here, "for_all", False)


def clock() -> float:
    """Seconds, as `time.perf_counter` counts them, less those in which other work had its turn."""
    work = getattr(_here, "work", None)
    return time.perf_counter() - (0.0 if work is None else work.paused)


def paced(items: Iterable[T]) -> Iterator[T]:
    """The items, with a pause after each."""
    for item in items:
        yield item
        pause()
