"""A class at once: 200 simulated people on loopback, for a bounded time. PYTHONPATH=. python benchmarks/classroom.py [PEOPLE [ROUNDS]]

Starts the app in a process of its own. First all open one link at once. Then, in three rounds or as many as are named, each asks for
seeds of their own with 0 to 10 seconds to think between, of families in turn, while one person draws one digit of the mixture again and
again. Prints waiting times, who was refused, whether each got the picture of their own seed, and the resident memory after each round.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.parse
import uuid
from pathlib import Path
from typing import NamedTuple

import httpx

from dgm_models import catalog

ROOT = Path(__file__).resolve().parents[1]
PORT, ROUNDS, THINK, DRAWS = 7899, 3, 10.0, 2
FAMILIES = {"mixture": "gmm-mnist", "vae": "vae-mnist", "gan": "gan-mnist", "flow": "flow-mnist", "diffusion": "diffusion-mnist"}


class Reply(NamedTuple):
    """What one person got: after how many seconds, the link under the picture or what was said instead, and which picture it is."""

    seconds: float
    link: str | None
    said: str
    sheet: int = 0


def asked(tab: str, count: int, seed: int) -> list[object]:
    """What the page of a family sends: digit, count, seed, its knobs, the advanced ones last; the data set where there is a choice."""
    rows = sorted(catalog.family(FAMILIES[tab]).Settings.knobs().items(), key=lambda row: row[1][1].advanced)
    data = ["mnist"] if len(catalog.across(FAMILIES[tab])) > 1 else []
    return ["all ten in turn", count, seed, *(default for _, (default, _) in rows), *data]


async def ask(client: httpx.AsyncClient, tab: str, data: list[object]) -> Reply:
    """As a page does: join, then listen until it is there."""
    began, page = time.perf_counter(), uuid.uuid4().hex[:10]
    join = await client.post("/gradio_api/queue/join", json={"data": data, "fn_index": FUNCTIONS[tab], "session_hash": page})
    if join.status_code != 200:
        return Reply(time.perf_counter() - began, None, f"refused: {join.status_code}")
    async with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": page}) as stream:
        async for line in stream.aiter_lines():
            if '"process_completed"' in line:
                message = json.loads(line.removeprefix("data: "))
                made = (message["output"].get("data") or [None])[0]
                told = "" if message["success"] else str(message["output"].get("error"))
                return Reply(
                    time.perf_counter() - began, made["link"] if made else None, told, hash(made["rows"][0]["sheet"]) if made else 0
                )
    return Reply(time.perf_counter() - began, None, "hung up")


FUNCTIONS: dict[str, int] = {}


async def learn_functions(client: httpx.AsyncClient) -> None:
    config = (await client.get("/config")).json()
    FUNCTIONS.update({each["api_name"]: each["id"] for each in config["dependencies"] if each["api_name"] in FAMILIES})


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def resident(process: int) -> float:
    """MB."""
    with open(f"/proc/{process}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


async def one_link(client: httpx.AsyncClient, people: int) -> None:
    for tab in ("vae", "diffusion"):
        replies = await asyncio.gather(*(ask(client, tab, asked(tab, 16, 4242)) for _ in range(people)))
        waited = [reply.seconds for reply in replies if reply.link]
        first = min(waited, default=float("nan"))
        after = ", ".join(f"p{share:.0%} {percentile(waited, share) - first:.2f} s".replace("%", "") for share in (0.5, 0.95, 1))
        print(f"one link, {tab}: {len(waited)} of {people} answered, the first in {first:.2f} s, then {after}", flush=True)


async def own_seeds(client: httpx.AsyncClient, people: int, chance: random.Random) -> None:
    over = asyncio.Event()
    one_digit: list[float] = []

    async def person(number: int) -> list[tuple[Reply, bool]]:
        tab, got = list(FAMILIES)[number % len(FAMILIES)], []
        for turn in range(DRAWS):
            await asyncio.sleep(chance.uniform(0, THINK))
            seed = 10_000 * number + 1000 * turn + chance.randrange(1000)
            reply = await ask(client, tab, asked(tab, 16, seed))
            query = urllib.parse.parse_qs((reply.link or "").removeprefix("?"))
            got.append((reply, query.get("seed") == [str(seed)] and query.get("tab") == [tab]))
        return got

    async def drawing() -> None:
        while not over.is_set():
            one_digit.append((await ask(client, "mixture", asked("mixture", 1, chance.randrange(2**31)))).seconds)
            await asyncio.sleep(0.5)

    watch = asyncio.create_task(drawing())
    began = time.perf_counter()
    everything = [each for got in await asyncio.gather(*(person(number) for number in range(people))) for each in got]
    over.set()
    await watch
    took, waited = time.perf_counter() - began, [reply.seconds for reply, _ in everything if reply.link]
    own = len({reply.sheet for reply, mine in everything if mine})
    print(f"own seeds: {len(waited)} of {len(everything)} answered in {took:.0f} s, {own} with a picture of their own", flush=True)
    for what, seconds in (("waited", waited), (f"one digit of the mixture, {len(one_digit)} times", one_digit)):
        print(f"  {what}: p50 {percentile(seconds, 0.5):.2f} s, p95 {percentile(seconds, 0.95):.2f} s", flush=True)
    for said in {reply.said for reply, _ in everything if reply.said}:
        print(f"  told: {said[:160]}")


async def main(people: int, rounds: int, process: int) -> None:
    chance = random.Random(0)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=300, limits=limits) as client:
        for _ in range(120):
            try:
                await learn_functions(client)
                break
            except httpx.HTTPError:
                await asyncio.sleep(1)
        for tab in FAMILIES:  # models are read from disk when they are first asked for
            await ask(client, tab, asked(tab, 16, 1))
        print(f"{people} people; resident {resident(process):.0f} MB", flush=True)
        await one_link(client, people)
        for number in range(rounds):
            await own_seeds(client, people, chance)
            print(f"after round {number + 1}: resident {resident(process):.0f} MB", flush=True)


if __name__ == "__main__":
    app = subprocess.Popen(
        [sys.executable, ROOT / "app.py"],
        env={**os.environ, "GRADIO_SERVER_PORT": str(PORT), "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
    )
    try:
        given = [int(each) for each in sys.argv[1:]]
        people, rounds = given + [200, ROUNDS][len(given) :]
        asyncio.run(main(people, rounds, app.pid))
    finally:
        app.send_signal(signal.SIGTERM)
        app.wait(60)
