"""How heavy each page is, and how soon a person can use it. PYTHONPATH=. python benchmarks/page.py [TIMES]

Starts the app in a process of its own, then opens each page in a fresh browser, TIMES times: the compressed bytes of the page itself
(without Gradio's own files and stored films), and the seconds from the server's answer until the first result is drawn and the controls
answer; the median.
"""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT, PORT = Path(__file__).resolve().parents[1], 7898
PAGES = {"": "start", "families": "mixture", "lesser-known": "belief", "digits": "digits", "sequences": "language", "compare": "my-digit"}
READY = """document.querySelector('.dgm-player[data-drawn]:not([data-drawn=""]), #verdict td, .dgm-writing .sheet span')
    && document.querySelector('.dgm-views [role=tab]')"""


def main(times: int) -> None:
    env = {**os.environ, "GRADIO_SERVER_PORT": str(PORT), "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    app = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    try:
        while app.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/").read()
                break
            except OSError:
                time.sleep(0.5)
        print("| page | compressed, kB | usable after, s |\n|---|---|---|")
        with sync_playwright() as play:
            for path in PAGES:
                raw = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/{path}").read()
                seconds = statistics.median(_usable(play, f"http://127.0.0.1:{PORT}/{path}") for _ in range(times))
                print(f"| /{path} | {len(gzip.compress(raw)) / 1000:.0f} | {seconds:.2f} |", flush=True)
    finally:
        app.send_signal(signal.SIGTERM)
        app.wait(60)


def _usable(play: object, address: str) -> float:
    where = shutil.which("chromium")
    browser = play.chromium.launch(args=["--no-sandbox", "--disable-gpu"], **({"executable_path": where} if where else {}))
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(address, wait_until="commit")
        began = time.perf_counter()
        page.wait_for_function(READY, timeout=60_000)
        return time.perf_counter() - began
    finally:
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
