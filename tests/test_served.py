"""The app as a process of its own: behind a proxy, beside another instance, and asked to end."""

from __future__ import annotations

import http.client
import http.server
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
from playwright.sync_api import expect

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


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes on what begins with /demo, without that."""

    target = 0

    def pass_on(self) -> None:
        if not self.path.startswith("/demo"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        behind = http.client.HTTPConnection("127.0.0.1", self.target, timeout=120)
        behind.request(self.command, self.path.removeprefix("/demo") or "/", body, dict(self.headers))
        reply = behind.getresponse()
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while part := reply.read1(65536):
            self.wfile.write(part)
            self.wfile.flush()

    do_GET = do_POST = pass_on

    def log_message(self, *arguments: object) -> None:
        pass


def test_under_a_path_of_a_proxy_films_are_fetched_made_and_saved(started, page):
    app = started(GRADIO_ROOT_PATH="/demo")
    Proxy.target = app.port
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"http://127.0.0.1:{proxy.server_port}/demo/?tab=mixture")
        player = page.locator("#player-mixture .dgm-player")
        expect(player).to_have_attribute("data-shown", "1", timeout=60_000)
        page.get_by_role("button", name="New noise", exact=True).locator("visible=true").first.click()
        expect(player).to_have_attribute("data-shown", "2", timeout=60_000)
        with page.expect_download() as caught:
            player.get_by_role("link", name="PNG", exact=True).click()
        assert Path(caught.value.path()).read_bytes().startswith(b"\x89PNG")
        assert errors == []
    finally:
        proxy.shutdown()
