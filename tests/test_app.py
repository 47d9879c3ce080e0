"""The app without a browser: wiring, handlers, and what happens to nonsense sent straight to the API."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from dgm_models import catalog
from dgm_models.data import mnist
from dgm_models.ui import widgets
from dgm_models.ui.app import LEVELS
from dgm_models.ui.card import snippet
from dgm_models.ui.film import Film, Row, resample
from dgm_models.ui.first import FOLDER, stamp
from dgm_models.ui.tabs.shared import test_digit as digit_of_the_test_set

TABS = [tab.ID for tabs in LEVELS.values() for tab in tabs]


def post(address: str, path: str, body: bytes, kind: str = "application/json") -> tuple[int, str]:
    request = urllib.request.Request(address + path, body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def call(address: str, name: str, data: str) -> str:
    """Send raw JSON to an endpoint and wait for the event stream: its text ends with `complete` or `error`."""
    code, text = post(address, f"/gradio_api/call/{name}", ('{"data": ' + data + "}").encode())
    if code != 200:
        return f"refused {code} {text}"
    event = json.loads(text)["event_id"]
    with urllib.request.urlopen(f"{address}/gradio_api/call/{name}/{event}", timeout=120) as stream:
        return stream.read().decode()


PAD = json.dumps(widgets.to_sketch(digit_of_the_test_set(0)[0]))
GOOD = '["3", 4, 7, 1.0, 1.0, 16]'


@pytest.mark.parametrize(
    "data",
    [
        '["3", 4, NaN, 1.0, 1.0, 16]',
        '["3", 4, Infinity, 1.0, 1.0, 16]',
        '["3", 4, -1, 1.0, 1.0, 16]',
        '["3", 4, 18446744073709551616, 1.0, 1.0, 16]',
        '["3", 4, 123456789012345678901234567890, 1.0, 1.0, 16]',
        '["3", 4, "abc", 1.0, 1.0, 16]',
        '["3", 4, 1.5, 1.0, 1.0, 16]',
        '["3", 1000000, 7, 1.0, 1.0, 16]',
        '["3", NaN, 7, 1.0, 1.0, 16]',
        '["3", true, 7, 1.0, 1.0, 16]',
        '["3", 4, 7, NaN, 1.0, 16]',
        '["3", 4, 7, 99, 1.0, 16]',
        '["3", 4, 7, "hot", 1.0, 16]',
        '["3", 4, 7, null, 1.0, 16]',
        '["12", 4, 7, 1.0, 1.0, 16]',
        '[["3", "4"], 4, 7, 1.0, 1.0, 16]',
        "[null, 4, 7, 1.0, 1.0, 64]",
        '["3"]',
    ],
)
def test_bad_values_are_refused_and_the_next_request_works(served, data):
    reply = call(served, "mixture", data)
    assert "refused" in reply or "event: error" in reply, reply[:300]
    assert "Traceback" not in reply
    assert "event: complete" in call(served, "mixture", GOOD)


@pytest.mark.parametrize("pad", ['"text"', "null", "{}", '{"ink": "AAAA", "seen": "AAAA"}', '{"ink": 5, "seen": []}', "[1, 2]"])
def test_bad_drawings_are_refused(served, pad):
    reply = call(served, "inpainting", f'[{pad}, ["Gaussian mixture"], "not given", 7]')
    assert "event: error" in reply
    assert "expected a drawing of 28 x 28" in reply or "null" in reply


def test_applications_refuse_nonsense(served):
    for name, data, says in [
        ("digits", '["12a", ["Gaussian mixture"], 7]', "expected 1 to 64 of 0 to 9"),
        ("digits", '["", ["Gaussian mixture"], 7]', "expected 1 to 64"),
        ("digits", '["12", [], 7]', "at least one of"),
        ("inpainting", f'[{PAD}, ["Gaussian mixture"], "not given", 7]', "Nothing is hidden"),
        ("super-resolution", f'[{PAD}, "9×", ["Gaussian mixture"], "not given", 7]', ""),
        ("interpolation", f'[{PAD}, {PAD}, "zigzag", ["VAE"]]', ""),
    ]:
        reply = call(served, name, data)
        assert "event: error" in reply, (name, reply[:300])
        assert says in reply
        assert "Traceback" not in reply


def test_bodies_over_2_mb_are_refused_before_they_are_read(served):
    """The length alone decides: the body is never sent."""
    place = urllib.parse.urlsplit(served)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    connection.putrequest("POST", "/gradio_api/call/mixture")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "3000000")
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 413
    assert "at most 2 MB" in reply.read().decode()
    connection.close()


def test_four_at_once_and_one_alone_give_the_same_picture(served):
    from concurrent.futures import ThreadPoolExecutor

    data = '["5", 2, 21, 1.0, 1.0, 16]'
    alone = call(served, "mixture", data)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: call(served, "mixture", data), range(4)))
    sheet = lambda text: json.loads(text.split("data: ", 1)[1].splitlines()[0])[0]["rows"][0]["sheet"]  # noqa: E731
    assert all(sheet(reply) == sheet(alone) for reply in together)


def test_every_tab_starts_with_a_stored_result():
    """Stored with the weights that ship, so the page starts at once and shows the truth."""
    from app import demo

    assert TABS == ["mixture", "vae", "diffusion", "digits", "inpainting", "super-resolution", "interpolation"]
    assert {path.stem for path in FOLDER.glob("*.json")} >= set(TABS)
    for path in FOLDER.glob("*.json"):
        assert json.loads(path.read_text())["weights"] == stamp(), f"{path.name}: run python -m dgm_models paint"
    players = [block for block in demo.blocks.values() if str(block.elem_id or "").startswith("player-")]
    assert len(players) >= len(TABS)
    assert all(block.value and block.value["rows"] for block in players)


def test_the_snippet_makes_the_picture():
    import torch

    from dgm_models.applications.generate import generate

    settings = catalog.family("gmm-mnist").Settings(temperature=0.7)
    code = snippet("gmm-mnist", "torch.full((3,), 4)", 3, 11, settings)
    assert len(code.splitlines()) <= 15
    scope: dict = {}
    exec(code, scope)
    assert torch.equal(scope["x"], generate("gmm-mnist", "444", 11, settings).x)


def test_links_carry_drawings():
    x, _ = mnist.test()
    pad = widgets.to_sketch(mnist.pixels(x[:1]), mnist.pixels(x[1:2])[0] < 0.5)
    text = widgets.sketch_to_text(pad)
    assert widgets.sketch_from_text(text) == pad
    assert len(text) < 900


def test_films_thin_to_what_the_player_takes():
    from dgm_models.contracts import Frame

    x = mnist.pixels(mnist.test()[0][:2])
    frames = [Frame(x, str(i)) for i in range(200)]
    film = Film([Row(frames, 2), Row(frames[:3], 2, "short")])
    assert film.count == 40
    assert [film.rows[0].frames[i].note for i in (0, -1)] == ["0", "199"]
    assert len(film.value()["rows"][1]["notes"]) == 40
    assert [f.note for f in resample(frames, 1)] == ["199"]
