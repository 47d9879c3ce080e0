"""The app as a process of its own: beside another instance, and asked to end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import whole
from tests.test_app import asked

ROOT = Path(__file__).resolve().parents[1]
pytestmark = whole


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class App:
    """`python app.py` on a port of its own, in a temp folder of its own."""

    def __init__(self, temp: Path, **environment: str) -> None:
        self.port, self.temp = free_port(), temp
        self.address = f"http://127.0.0.1:{self.port}"
        own = {"GRADIO_SERVER_PORT": str(self.port), "TMPDIR": str(temp), "HF_HUB_OFFLINE": "1", **environment}
        left_out = ("GRADIO_TEMP_DIR", "DGM_OPEN")
        inherited = {key: value for key, value in os.environ.items() if key not in left_out}
        self.process = subprocess.Popen([sys.executable, ROOT / "app.py"], env={**inherited, **own}, stderr=subprocess.PIPE)
        until = time.monotonic() + 90
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{self.address}/config", timeout=5).read()
                return
            except OSError:
                time.sleep(0.3)
        raise AssertionError(self.process.stderr.read().decode())

    def join(self, name: str, data: str) -> str:
        request = urllib.request.Request(f"{self.address}/gradio_api/call/{name}", ('{"data": ' + data + "}").encode())
        request.add_header("Content-Type", "application/json")
        return json.load(urllib.request.urlopen(request, timeout=30))["event_id"]

    def listen(self, name: str, event: str) -> str:
        with urllib.request.urlopen(f"{self.address}/gradio_api/call/{name}/{event}", timeout=90) as stream:
            return stream.read().decode()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture
def started(tmp_path):
    running: list[App] = []

    def start(**environment: str) -> App:
        running.append(App(tmp_path, **environment))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def test_asked_to_end_it_finishes_what_is_being_made_and_tells_who_waits(started):
    app = started()
    long = app.join("boltzmann", asked("dbm-mnist", "any (no label)", 16, 7))
    heard: list[str] = []
    listening = threading.Thread(target=lambda: heard.append(app.listen("boltzmann", long)))
    listening.start()
    time.sleep(1.0)
    assert app.end() == 0
    listening.join(30)
    assert "event: complete" in heard[0]
    assert not list(app.temp.glob("dgm-*"))  # nothing is left behind


def test_two_instances_and_a_folder_of_another_user_do_not_meet(started, tmp_path):
    (tmp_path / "gradio").write_text("not a folder that one may write into", encoding="utf-8")
    one, other = started(), started()
    data = asked("gmm-mnist", "5", 2, 11)
    for app in (one, other):
        assert "event: complete" in app.listen("mixture", app.join("mixture", data))
    assert one.end() == 0
    query = "?tab=mixture&digit=5&n=2&seed=11&temperature=1&pixel_noise=1&without=0"
    assert urllib.request.urlopen(f"{other.address}/gradio_api/save/five.png{query}", timeout=30).read(4) == b"\x89PNG"
    with_picture = list(tmp_path.rglob("*.gif")) + list(tmp_path.rglob("*.npy")) + list(tmp_path.rglob("*.png"))
    assert with_picture == []  # no result is written to a disk that may be full
