"""Results, each made once for all who ask for it: a result is a function of its link, so who opens a link that was opened lately gets
what was made then, and who asks for what is being made gets it as it grows. No gradio in here."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from torch import Tensor

from dgm_models.turns import Dropped, Turns, Work, clock, pause

MOST_BYTES = 96_000_000  # of kept results
UNKNOWN = 0.5  # seconds that work of a kind never seen is thought to take
Values = list[Any]


class Answer:
    """A result on its way: the values so far, a new version with each part; over when whole, or when there is an error instead."""

    def __init__(self, values: Values | None = None) -> None:
        self.values, self.version, self.over = values, int(values is not None), values is not None
        self.error: Exception | None = None
        self.work: Work | None = None
        self.wakes: list[Callable[[], None]] = []


class Costs:
    """The seconds that work of a kind took of late. A kind is (panel, settings): of settings never seen, what the panel took."""

    def __init__(self, most: int = 2000) -> None:
        self._most, self._seconds = most, OrderedDict[Hashable, float]()

    def expected(self, kind: tuple[str, Hashable]) -> float:
        return self._seconds.get(kind, self._seconds.get(kind[0], UNKNOWN))

    def learn(self, kind: tuple[str, Hashable], seconds: float) -> None:
        for each in (kind, kind[0]):
            known = self._seconds.pop(each, seconds)
            self._seconds[each] = 0.7 * known + 0.3 * seconds
        while len(self._seconds) > self._most:
            self._seconds.popitem(last=False)


class Results:
    """Who asks, gets an Answer and is woken at every part of it, until it leaves. What nobody waits for is dropped."""

    def __init__(self, turns: Turns | None = None, most_bytes: int = MOST_BYTES) -> None:
        self.turns, self.costs, self.most_bytes, self.bytes = turns or Turns(), Costs(), most_bytes, 0
        self._kept: OrderedDict[str, tuple[Values, int]] = OrderedDict()
        self._coming: dict[str, Answer] = {}
        self._lock = threading.Lock()

    def ask(self, key: str | None, kind: tuple[str, Hashable], make: Callable[[], Iterator[Values]], wake: Callable[[], None]) -> Answer:
        """The answer to a question, which `make` makes in parts, the last one whole. Without a key it is made for this asker alone and
        not kept. Crowded where too many wait."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return Answer(self._kept[key][0])
            answer = self._coming.get(key) if key is not None else None
            if answer is None:
                answer = Answer()
                answer.work = self.turns.enter(lambda: self._make(answer, key, kind, make), self.costs.expected(kind))
                if key is not None:
                    self._coming[key] = answer
            answer.wakes.append(wake)
            return answer

    def leave(self, answer: Answer, wake: Callable[[], None]) -> None:
        """This asker waits no more."""
        with self._lock:
            if wake in answer.wakes:
                answer.wakes.remove(wake)
            abandoned = not answer.wakes and not answer.over
            if abandoned:
                self._coming = {key: each for key, each in self._coming.items() if each is not answer}
        if abandoned and answer.work is not None:
            self.turns.drop(answer.work)

    def line(self, answer: Answer) -> tuple[int, float] | None:
        """How many are before it, and about how many seconds until it is whole; None where it is over."""
        return None if answer.over or answer.work is None else self.turns.line(answer.work)

    def _make(self, answer: Answer, key: str | None, kind: tuple[str, Hashable], make: Callable[[], Iterator[Values]]) -> None:
        began, error, values = clock(), None, None
        try:
            for values in make():
                with self._lock:
                    answer.values, answer.version = values, answer.version + 1
                    wakes = list(answer.wakes)
                for wake in wakes:
                    wake()
                pause()
        except Exception as caught:  # whoever asked is told
            error = caught
        with self._lock:
            if not isinstance(error, Dropped):
                self.costs.learn(kind, clock() - began)
            if key is not None and self._coming.get(key) is answer:
                del self._coming[key]
            if key is not None and error is None:
                self._keep(key, values)
            answer.error, answer.over = error, True
            wakes = list(answer.wakes)
        for wake in wakes:
            wake()

    def _keep(self, key: str, values: Values) -> None:
        size = _bytes(values)
        self.bytes += size - self._kept.pop(key, (None, 0))[1]
        self._kept[key] = values, size
        while self.bytes > self.most_bytes:
            self.bytes -= self._kept.popitem(last=False)[1][1]


def _bytes(value: Any) -> int:
    """About how much memory a value takes."""
    if isinstance(value, dict):
        last = getattr(value, "last", None)
        return sum(map(_bytes, value.values())) + (last.nbytes if isinstance(last, Tensor) else 0)
    if isinstance(value, list | tuple):
        return 8 * len(value) + sum(map(_bytes, value))
    return len(value) if isinstance(value, str) else 32
