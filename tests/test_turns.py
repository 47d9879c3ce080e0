"""Turns at the models, and results that are shared."""

from __future__ import annotations

import threading
import time

import pytest

from dgm_models import turns
from dgm_models.turns import Crowded, Turns
from dgm_models.ui.results import Results

WAIT = 20  # seconds that a test waits for a thread, at most


class Job:
    """Work in parts of a few milliseconds with a pause between; it notes when it ran, in the list that all share."""

    def __init__(self, name: str, log: list[str], parts: int = 1, until: threading.Event | None = None) -> None:
        self.name, self.log, self.parts, self.until, self.done = name, log, parts, until, threading.Event()

    def __call__(self) -> None:
        try:
            while self.parts > 0:
                self.log.append(self.name)
                time.sleep(1.5 * turns.GRAIN)
                self.parts -= not self.until or self.until.is_set()
                turns.pause()
        finally:
            self.done.set()


def busy(line: Turns, free: threading.Event, seconds: float) -> object:
    """Work that has the turn, for certain, until it is freed."""
    begun = threading.Event()
    work = line.enter(lambda: (begun.set(), free.wait(WAIT)), seconds)
    assert begun.wait(WAIT)
    return work


def test_short_work_passes_long_work_and_the_long_one_goes_on():
    line, log = Turns(), []
    short = Job("short", log)
    long = Job("long", log, 1, until=short.done)
    line.enter(long, 100.0)
    time.sleep(0.05)
    line.enter(short, 0.001)
    assert short.done.wait(WAIT)  # the long one would never end without it
    assert long.done.wait(WAIT)
    assert log[0] == log[-1] == "long"


def test_what_takes_a_moment_passes_a_crowd_that_has_waited_long():
    line, log, free = Turns(), [], threading.Event()
    busy(line, free, 1.0)
    crowd = [Job("crowd", log) for _ in range(5)]
    for job in crowd:
        line.enter(job, 0.5).arrived -= 600
    quick = Job("quick", log)
    line.enter(quick, 0.02)
    time.sleep(turns.GRAIN)  # what has not waited at all is not urgent
    free.set()
    assert all(job.done.wait(WAIT) for job in crowd)
    assert log == ["quick", *["crowd"] * 5]


def test_equals_keep_their_order_and_run_alone():
    line, log = Turns(), []
    jobs = [Job(str(k), log, 5) for k in range(4)]
    for job in jobs:
        line.enter(job, 1.0)
    assert all(job.done.wait(WAIT) for job in jobs)
    assert log == [str(k) for k in range(4) for _ in range(5)]


def test_long_work_is_not_passed_for_ever():
    """Short work that never ends to arrive lets long work through once that has waited long for its size."""
    line, log = Turns(), []
    long = Job("long", log, 10)
    line.enter(long, 0.2)
    until = time.monotonic() + WAIT
    while not long.done.is_set() and time.monotonic() < until:
        line.enter(Job("short", log), 0.02)
        time.sleep(2.5 * turns.GRAIN)
    assert long.done.is_set()


def test_dropped_work_never_runs_or_ends_at_its_next_pause():
    line, log = Turns(), []
    endless = Job("endless", log, 1, until=threading.Event())
    running = line.enter(endless, 1.0)
    waiting = line.enter(Job("waiting", log), 1.0)
    line.drop(waiting)
    assert line.line(waiting) is None
    line.drop(running)
    assert endless.done.wait(WAIT)
    after = Job("after", log)
    line.enter(after, 1.0)
    assert after.done.wait(WAIT)
    assert "waiting" not in log


def test_who_waits_knows_the_place_and_the_seconds():
    line, free = Turns(), threading.Event()
    busy(line, free, 4.0)
    first, second = line.enter(lambda: None, 2.0), line.enter(lambda: None, 3.0)
    time.sleep(0.02)
    assert line.line(first) == (1, pytest.approx(6.0, abs=0.5))
    assert line.line(second) == (2, pytest.approx(9.0, abs=0.5))
    free.set()


def test_only_so_much_waits_and_the_rest_is_told():
    line, free = Turns(most=3), threading.Event()
    busy(line, free, 1.0)
    for _ in range(3):
        line.enter(lambda: None, 1.0)
    with pytest.raises(Crowded, match="More than 3 requests are waiting"):
        line.enter(lambda: None, 1.0)
    free.set()


def test_closing_finishes_what_runs_and_takes_no_more():
    line, log = Turns(), []
    jobs = [Job(str(k), log, 3) for k in range(2)]
    for job in jobs:
        line.enter(job, 1.0)
    assert line.close(WAIT) == []
    assert all(job.done.is_set() for job in jobs)
    with pytest.raises(Crowded, match="about to start anew"):
        line.enter(lambda: None, 1.0)


def test_closing_tells_who_is_not_done_in_time():
    line, free = Turns(), threading.Event()
    running = busy(line, free, 1.0)
    waiting = line.enter(lambda: None, 1.0)
    assert set(line.close(0.1)) == {running, waiting}
    assert waiting.dropped
    free.set()


def test_a_clock_does_not_count_the_time_of_others():
    line, log, took = Turns(), [], []
    short = Job("short", log, 10)

    def long() -> None:
        began = turns.clock()
        time.sleep(2 * turns.GRAIN)
        turns.pause()
        took.append(turns.clock() - began)

    began = time.monotonic()
    line.enter(long, 100.0)
    line.enter(short, 0.01)
    assert short.done.wait(WAIT)
    while not took and time.monotonic() < began + WAIT:
        time.sleep(0.01)
    assert took[0] < 10 * turns.GRAIN  # the short one alone takes 15


# results --------------------------------------------------------------------------------------------------------------


class Asker:
    def __init__(self, results: Results, key: str | None, make) -> None:
        self.results, self.woken = results, threading.Event()
        self.answer = results.ask(key, ("panel", "settings"), make, self.wake)

    def wake(self) -> None:
        self.woken.set()

    def whole(self):
        until = time.monotonic() + WAIT
        while not self.answer.over and time.monotonic() < until:
            self.woken.wait(0.1)
        return self.answer.values


def making(made: list, parts: int = 1, wait: threading.Event | None = None):
    def make():
        made.append(1)
        if wait:
            wait.wait(WAIT)
        for part in range(parts):
            yield [f"part {part}"]

    return make


def test_a_result_is_made_once_for_all_who_ask_for_it():
    results, made, free = Results(), [], threading.Event()
    askers = [Asker(results, "?a", making(made, 2, free)) for _ in range(5)]
    free.set()
    assert [asker.whole() for asker in askers] == [["part 1"]] * 5
    assert Asker(results, "?a", making(made)).whole() == ["part 1"]
    assert made == [1]
    assert Asker(results, None, making(made)).whole() == ["part 0"]
    assert Asker(results, None, making(made)).whole() == ["part 0"]
    assert made == [1, 1, 1]  # without a key nothing is kept


def test_what_nobody_waits_for_is_dropped_and_what_one_still_waits_for_is_not():
    results, made, free = Results(), [], threading.Event()
    first = Asker(results, "?a", making(made, 1, free))
    both = [Asker(results, "?b", making(made, 1)) for _ in range(2)]
    gone = Asker(results, "?c", making(made, 1))
    results.leave(both[0].answer, both[0].wake)
    results.leave(gone.answer, gone.wake)
    free.set()
    assert first.whole() == both[1].whole() == ["part 0"]
    assert made == [1, 1]
    assert gone.answer.values is None
    assert Asker(results, "?c", making(made)).whole() == ["part 0"]  # asked for again, it is made


def test_an_error_is_told_to_all_and_not_kept():
    results = Results()

    def wrong():
        raise ValueError("expected something else")
        yield

    asker = Asker(results, "?a", wrong)
    assert asker.whole() is None
    assert str(asker.answer.error) == "expected something else"
    assert Asker(results, "?a", making([])).whole() == ["part 0"]


def test_kept_results_take_no_more_memory_than_they_may():
    results, made = Results(most_bytes=1000), []
    for k in range(10):
        Asker(results, f"?{k}", lambda k=k: iter([[f"{k}" * 300]])).whole()
    assert results.bytes <= 1000
    assert Asker(results, "?9", making(made)).whole() == ["9" * 300]
    assert Asker(results, "?0", making(made)).whole() == ["part 0"]
    assert made == [1]


def test_costs_follow_what_work_took():
    costs = Results().costs
    unknown = costs.expected(("panel", "slow"))
    for _ in range(10):
        costs.learn(("panel", "slow"), 9.0)
        costs.learn(("panel", "quick"), 0.1)
    assert costs.expected(("panel", "slow")) == pytest.approx(9.0)
    assert costs.expected(("panel", "quick")) == pytest.approx(0.1)
    assert 0.1 < costs.expected(("panel", "unseen")) < 9.0
    assert costs.expected(("another", "slow")) == unknown


def test_who_still_waits_when_the_server_ends_is_told(monkeypatch):
    import asyncio
    from concurrent.futures import ThreadPoolExecutor
    from types import SimpleNamespace

    import gradio as gr

    from dgm_models.ui import serve

    monkeypatch.setattr(serve, "results", Results())
    free = threading.Event()
    busy(serve.results.turns, free, 1.0)
    panel = SimpleNamespace(address="panel", key=lambda values: None, kind=lambda values: "", make=lambda values: iter([["made"]]))

    async def ask() -> None:
        asking = asyncio.ensure_future(serve.whole_answer(panel, [], "page"))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(serve.results.turns.close, 0.1)
        await asking

    with pytest.raises(gr.Error, match="about to start anew"), ThreadPoolExecutor(1) as own:
        own.submit(lambda: asyncio.run(ask())).result()  # a thread of its own: the browser's loop may run in this one
    free.set()
