"""The app without a browser: wiring, handlers, and what happens to nonsense sent straight to the API."""

from __future__ import annotations

import http.client
import io
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from dgm_models import catalog, weights
from dgm_models.applications.receipt import untimed
from dgm_models.applications.restore import hole
from dgm_models.data import mnist
from dgm_models.modalities import image
from dgm_models.modalities.views import PICTURES
from dgm_models.ui import first, widgets
from dgm_models.ui.app import PAGES, SAVED, build_app
from dgm_models.ui.card import snippet
from dgm_models.ui.film import Film, Row, resample, saved, still
from dgm_models.ui.first import FOLDER, PLACE
from dgm_models.ui.inputs import held_out as digit_of_the_test_set
from dgm_models.ui.serve import results
from tests.conftest import busy, some

LONG = {  # where hundreds of steps downhill make much of the last bit of a sum, which two machines, or one thread and two, add up otherwise
    "gflownet": ("Training", "Ways"),
    "gradient-flow.few": ("Particles", "Nearest of the 200"),
    "super-resolution": ("GAN", "VAE"),
    "inpainting": ("GAN", "VAE"),
    "language.reward": (),
    "molecules.policy": (),
}
number = re.compile(r"-?\d[\d,.]*")
ADDRESSES = {address: panel for address, panel in build_app(firsts=False).panels.items() if panel.stored}
TABS = [tab.ID for page in PAGES for tab in page.trained]


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
HALF = json.dumps(widgets.to_sketch(digit_of_the_test_set(0)[0], hole("upper half")))
GOOD = '["3", 4, 7, 1.0, 1.0, 0, "mnist"]'
FAMILIES = [
    ("mixture", "gmm-mnist"),
    ("autoregressive", "autoregressive-mnist"),
    ("autoregressive-any-order", "any-order-mnist"),
    ("flow", "flow-mnist"),
    ("vae", "vae-mnist"),
    ("diffusion", "diffusion-mnist"),
    ("energy", "energy-mnist"),
    ("gan", "gan-mnist"),
    ("belief", "dbn-mnist"),
    ("belief-rbm", "rbm-mnist"),
    ("boltzmann", "dbm-mnist"),
    ("gsn", "gsn-mnist"),
    ("gradient-flow-digits", "gradient-flow-mnist"),
    ("gflownet-digits", "gflownet-mnist"),
]


@pytest.mark.parametrize(
    "data",
    [
        '["3", 4, NaN, 1.0, 1.0, 0, "mnist"]',
        '["3", 4, Infinity, 1.0, 1.0, 0, "mnist"]',
        '["3", 4, -1, 1.0, 1.0, 0, "mnist"]',
        '["3", 4, 18446744073709551616, 1.0, 1.0, 0, "mnist"]',
        '["3", 4, 123456789012345678901234567890, 1.0, 1.0, 0, "mnist"]',
        '["3", 4, "abc", 1.0, 1.0, 0, "mnist"]',
        '["3", 4, 1.5, 1.0, 1.0, 0, "mnist"]',
        '["3", 1000000, 7, 1.0, 1.0, 0, "mnist"]',
        '["3", NaN, 7, 1.0, 1.0, 0, "mnist"]',
        '["3", true, 7, 1.0, 1.0, 0, "mnist"]',
        '["3", 4, 7, NaN, 1.0, 0, "mnist"]',
        '["3", 4, 7, 99, 1.0, 0, "mnist"]',
        '["3", 4, 7, "hot", 1.0, 0, "mnist"]',
        '["3", 4, 7, null, 1.0, 0, "mnist"]',
        '["12", 4, 7, 1.0, 1.0, 0, "mnist"]',
        '[["3", "4"], 4, 7, 1.0, 1.0, 0, "mnist"]',
        '[null, 4, 7, 1.0, 1.0, 0, "mnist"]',
    ],
)
def test_bad_values_are_refused_and_the_next_request_works(served, data):
    reply = call(served, "mixture", data)
    assert "event: error" in reply, reply[:300]
    assert "expected" in reply, reply[:300]
    assert "event: complete" in call(served, "mixture", GOOD)


def test_a_request_with_values_missing_is_refused(served):
    reply = call(served, "mixture", '["3"]')
    assert "refused" in reply or "event: error" in reply, reply[:300]
    assert "event: complete" in call(served, "mixture", GOOD)


@pytest.mark.parametrize("pad", ['"text"', "null", "{}", '{"ink": "AAAA", "seen": "AAAA"}', '{"ink": 5, "seen": []}', "[1, 2]"])
def test_bad_drawings_are_refused(served, pad):
    reply = call(served, "inpainting", f'[{pad}, ["Gaussian mixture"], "not given", 7, "mnist"]')
    assert "event: error" in reply
    assert "expected a drawing of 28 x 28" in reply


def test_applications_refuse_nonsense(served):
    for name, data, says in [
        ("digits", '["12a", ["Gaussian mixture"], 7]', "expected 1 to 16 of 0 to 9"),
        ("digits", '["", ["Gaussian mixture"], 7]', "expected 1 to 16"),
        ("digits", '["12", [], 7]', "at least one of"),
        ("inpainting", f'[{PAD}, ["Gaussian mixture"], "not given", 7, "mnist"]', "Nothing is hidden"),
        ("inpainting", f'[{HALF}, ["VAE"], "not given", 7, "fashion"]', "at least one of Gaussian mixture, Diffusion, which learned from"),
        ("inpainting", f'[{HALF}, ["VAE"], "not given", 7, "cifar"]', "Data set: expected one of mnist, fashion"),
        ("mixture", '["3", 4, 7, 1.0, 1.0, 0, "cifar"]', "cifar"),
        ("super-resolution", f'[{PAD}, "9×", ["Gaussian mixture"], "not given", 7]', "Shrink by: expected one of"),
        ("super-resolution", f'[{PAD}, "4×", ["Gaussian mixture"], "12", 7]', "expected a whole number from 0 to 9"),
        ("super-resolution", f'[{PAD}, "4×", ["Gaussian mixture"], [1], 7]', "expected a whole number from 0 to 9"),
        ("super-resolution", f'[{PAD}, "4×", ["Gaussian mixture"], "²", 7]', "expected a whole number from 0 to 9"),
        ("interpolation", f'[{PAD}, {PAD}, "zigzag", ["VAE"]]', "expected one of"),
    ]:
        reply = call(served, name, data)
        assert "event: error" in reply, (name, reply[:300])
        assert says in reply


def test_a_picture_of_169_megapixels_is_refused_by_its_size(served):
    """A file of 20 KB that would take 2.5 GB once decoded, sent as the page's upload button sends it."""
    from PIL import Image

    from app import demo

    file = io.BytesIO()
    Image.new("1", (13_000, 13_000)).save(file, "PNG")
    assert len(file.getvalue()) < 100_000
    head = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="big.png"\r\nContent-Type: image/png\r\n\r\n'
    code, text = post(served, "/gradio_api/upload", head + file.getvalue() + b"\r\n--edge--\r\n", "multipart/form-data; boundary=edge")
    assert code == 200
    sent = {"path": json.loads(text)[0], "meta": {"_type": "gradio.FileData"}}
    (event, *_) = [each["id"] for each in demo.config["dependencies"] if "upload" in str(each["targets"])]
    data = {"data": [sent, json.loads(PAD)], "fn_index": event, "session_hash": "big"}
    assert post(served, "/gradio_api/queue/join", json.dumps(data).encode())[0] == 200
    with urllib.request.urlopen(f"{served}/gradio_api/queue/data?session_hash=big", timeout=60) as stream:
        reply = stream.read().decode()
    assert "at most" in reply or "expected" in reply
    assert '"success":false' in reply.replace(" ", "")
    assert "Traceback" not in reply
    assert "event: complete" in call(served, "mixture", GOOD)


@pytest.mark.parametrize(
    ("path", "length", "most"), [("call/mixture", 3_000_000, 2), ("upload", 13_000_000, 12), ("call/upload", 3_000_000, 2)]
)
def test_large_bodies_are_refused_before_they_are_read(served, path, length, most):
    """The length alone decides: the body is never sent."""
    place = urllib.parse.urlsplit(served)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    connection.putrequest("POST", f"/gradio_api/{path}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 413
    assert f"at most {most} MB" in reply.read().decode()
    connection.close()


def test_a_photograph_of_several_mb_is_taken(served):
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + bytes(6_000_000) + b"\r\n--x--\r\n"
    request = urllib.request.Request(f"{served}/gradio_api/upload", body, {"Content-Type": "multipart/form-data; boundary=x"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        assert reply.status == 200


def asked(id: str, digit: str, count: int, seed: int, **changed: object) -> str:
    """What a family's tab sends: digit, count, seed, its knobs, the advanced ones last; the data set where there is a choice."""
    rows = sorted(catalog.family(id).Settings.knobs().items(), key=lambda row: row[1][1].advanced)
    data = ["mnist"] if len(catalog.across(id)) > 1 else []
    return json.dumps([digit, count, seed, *(changed.get(name, default) for name, (default, _) in rows), *data])


NONSENSE = (float("nan"), float("inf"), -1e9, 2**64, "much", None, True, ["a"])


@pytest.mark.parametrize(("tab", "id"), some(FAMILIES, "mixture"))
def test_a_bad_knob_of_any_family_is_refused(served, tab, id):
    from concurrent.futures import ThreadPoolExecutor

    asks = [(name, bad) for name in catalog.family(id).Settings.knobs() for bad in NONSENSE]
    with ThreadPoolExecutor(8) as pool:  # most of a refusal is waiting for it
        replies = pool.map(lambda ask: call(served, tab, asked(id, "3", 2, 7, **{ask[0]: ask[1]})), asks)
        for ask, reply in zip(asks, replies, strict=True):
            assert "event: error" in reply, (ask, reply[:300])
            assert "expected" in reply, (ask, reply[:300])
    assert "event: complete" in call(served, tab, asked(id, "3", 2, 7))


@pytest.mark.parametrize("id", [id for _, id in FAMILIES])
def test_no_knob_of_any_family_takes_nonsense(id):
    kinds = {catalog.family(id).Settings, catalog.family(id).Restoring}
    for kind in kinds:
        for name in kind.knobs():
            for bad in NONSENSE:
                with pytest.raises(ValueError, match="expected"):
                    kind(**{name: bad})


@pytest.mark.parametrize(("tab", "id"), some(FAMILIES, "mixture", "flow", "gflownet-digits"))
def test_four_at_once_each_get_the_picture_they_would_get_alone(served, tab, id):
    from concurrent.futures import ThreadPoolExecutor

    asks = [asked(id, digit, 2, seed) for digit, seed in (("5", 21), ("5", 22), ("3", 21), ("all ten in turn", 4))]
    sheet = lambda text: json.loads(text.split("data: ", 1)[1].splitlines()[0])[0]["rows"][0]["sheet"]  # noqa: E731
    alone = [sheet(call(served, tab, data)) for data in asks]
    with ThreadPoolExecutor(4) as pool:
        together = [sheet(reply) for reply in pool.map(lambda data: call(served, tab, data), asks)]
    assert together == alone
    assert len(set(alone)) == 4


@pytest.mark.parametrize(("name", "more", "last"), [("inpainting", "", ', "mnist"'), ("super-resolution", '"4×", ', "")])
def test_a_restoration_by_the_api_ends_with_the_whole_film_and_its_files(served, name, more, last):
    pad = json.dumps(widgets.to_sketch(digit_of_the_test_set(0)[0], hole("centre")))
    reply = call(served, name, f'[{pad}, {more}["Gaussian mixture", "Any order"], "not given", 7{last}]')
    *parts, whole = [json.loads(line.removeprefix("data: ")) for line in reply.splitlines() if line.startswith("data: [")]
    assert reply.rstrip().splitlines()[-2] == "event: complete"
    assert all(part[0]["partial"] for part in parts[:3])  # nothing yet, the mixture's, the other one's
    assert not whole[0]["partial"]
    assert [row["title"] for row in whole[0]["rows"][1:]] == ["Gaussian mixture", "Any order"]
    assert not parts[0][0]["name"]
    address = f"{served}/{SAVED}/{whole[0]['name']}.{{}}{whole[0]['link']}"
    starts = {ending: urllib.request.urlopen(address.format(ending), timeout=60).read(6) for ending in PICTURES.endings}
    assert starts == {"png": b"\x89PNG\r\n", "gif": b"GIF89a", "npy": b"\x93NUMPY"}
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(address.format("txt"), timeout=60)


def test_a_file_that_does_not_exist_is_refused_in_a_sentence(served):
    for query in ("mixture.bmp?tab=mixture", "mixture.png", "mixture.png?tab=nothing", "mixture.png?tab=mixture&n=99", "a.png?tab=board"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{served}/{SAVED}/{query}", timeout=30)
        assert refused.value.code == 400
        said = refused.value.read().decode()
        assert "expected" in said or "no pictures" in said or "not a value" in said, said


def test_who_joins_and_leaves_in_a_loop_holds_up_nobody(served):
    """Work that nobody waits for any more is dropped, and what a client asks anew drops what it asked before."""
    long = asked("dbm-mnist", "any (no label)", 64, 7, sweeps=1000)
    began = time.monotonic()
    for _ in range(20):
        _, text = post(served, "/gradio_api/call/boltzmann", ('{"data": ' + long + "}").encode())
        event = json.loads(text)["event_id"]
        place = urllib.parse.urlsplit(served)
        stream = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
        stream.request("GET", f"/gradio_api/call/boltzmann/{event}")
        stream.close()
    assert "event: complete" in call(served, "mixture", GOOD)
    while (results.turns.running is not None or results.turns.waiting) and time.monotonic() < began + 60:
        time.sleep(0.1)
    assert results.turns.running is None
    assert results.turns.waiting == 0


def test_the_same_request_at_once_is_made_once(served, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    made, whole = [], results._make
    monkeypatch.setattr(results, "_make", lambda *given: (made.append(1), whole(*given)))
    data = asked("gmm-mnist", "5", 3, 424242)
    with ThreadPoolExecutor(12) as pool, busy():
        replies = [pool.submit(call, served, "mixture", data) for _ in range(12)]
        time.sleep(1.0)
    texts = {re.sub(r'"made":\s*\d+', "", each.result()) for each in replies}
    assert len(texts) == 1
    assert "event: complete" in texts.pop()
    assert call(served, "mixture", data)
    assert made == [1]


def test_a_visit_costs_the_server_no_copy_of_the_page(served):
    from gradio.state_holder import SessionState

    from app import demo

    assert not any(SessionState(demo).config_values.values())
    with urllib.request.urlopen(f"{served}/config", timeout=30) as reply:  # but the page itself is whole
        assert all(each["props"] for each in json.load(reply)["components"])


def test_a_stored_first_result_is_found_under_a_path_that_a_proxy_takes_away():
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from app import demo
    from dgm_models.ui.app import launch_options

    behind = TestClient(FastAPI(routes=launch_options(demo)["app_kwargs"]["routes"]), root_path="/demo")
    assert behind.get(f"/{PLACE}/mixture.json.gz").json()["values"]
    assert behind.get(f"/{PLACE}/nothing.json.gz").status_code == 404
    assert behind.get(f"/{PLACE}/..%2F..%2Fapp.py").status_code == 404


def test_the_api_names_what_it_takes(served):
    with urllib.request.urlopen(f"{served}/gradio_api/info", timeout=30) as reply:
        known = json.load(reply)["named_endpoints"]
    names = {path: [each["parameter_name"] for each in known[path]["parameters"]] for path in known}
    assert names["/mixture"] == ["digit", "n", "seed", "temperature", "pixel_noise", "without", "data"]
    assert names["/inpainting"] == ["pad_inpainting", "models", "label", "seed", "data"]
    assert not [name for each in names.values() for name in each if name.startswith("param_")]


def test_every_tab_starts_with_a_stored_result():
    """Stored with the weights that ship, so the page starts at once and shows the truth."""
    from app import demo

    assert TABS == [
        "start",
        "mixture",
        "autoregressive",
        "flow",
        "vae",
        "diffusion",
        "energy",
        "gan",
        "belief",
        "boltzmann",
        "gsn",
        "gradient-flow",
        "gflownet",
        "digits",
        "style",
        "inpainting",
        "super-resolution",
        "interpolation",
        "colorization",
        "enlarging",
        "filling",
        "translation",
        "captions",
        "years",
        "language",
        "molecules",
        "my-digit",
        "board",
    ]
    for panel in ADDRESSES.values():
        assert first.current(panel) is not None, f"{panel.address}: run python -m dgm_models paint"
    assert set(FOLDER.glob("*")) == {first.path_of(address) for address in ADDRESSES}
    assert sum(path.stat().st_size for path in FOLDER.glob("*")) < 9_000_000
    players = [block for block in demo.blocks.values() if str(block.elem_id or "").startswith("player-")]
    assert len(players) >= len(TABS)
    for block in players:  # the page names a stored film, which the player fetches once its tab is opened
        name = block.value["stored"].removeprefix(f"{PLACE}/").partition(f"{first.ENDING}?v=")[0]
        assert block.elem_id.removeprefix("player-").startswith(name)
        film = first.read(first.path_of(name))["values"][block.value["number"]]
        assert film["rows"]
        assert " ms" not in json.dumps(film)  # nothing of the machine that painted it
        assert "made" not in film


@pytest.mark.parametrize(
    "address", some([*ADDRESSES], "mixture", "mixture.anatomy", "vae.plane", "gan.critic", "interpolation", "molecules")
)
def test_a_stored_first_result_is_what_its_panel_makes(address):
    """On any machine, but for a pixel here and there."""
    panel = ADDRESSES[address]
    stored = first.read(first.path_of(address))["values"]
    with untimed():
        made = json.loads(json.dumps(panel.whole(first.defaults(panel))))
    if address not in LONG:
        assert first.alike(stored, made)
        return
    for one, other in zip(stored[0]["rows"], made[0]["rows"], strict=True):
        assert number.sub("#", one["caption"]) == number.sub("#", other["caption"])
        if "texts" in one:  # as long, and the same before training
            assert (len(one["texts"]), one["texts"][0]) == (len(other["texts"]), other["texts"][0])
            continue
        if "molecules" in one:  # as many, and the same before training
            assert (one["title"], len(one["molecules"])) == (other["title"], len(other["molecules"]))
            assert one["title"] != "before" or first.alike(one, other)
            continue
        a, b = (image.from_data_url(row["sheet"]).astype(float)[-row["height"] :] for row in (one, other))
        assert abs(a - b).mean() < 20, one["title"]
        assert one["title"] in LONG[address] or (abs(a - b) <= first.NEAR).mean() > 0.999, one["title"]


def test_a_first_result_is_painted_anew_only_when_it_changes(monkeypatch, tmp_path):
    panel = ADDRESSES["mixture.anatomy"]
    monkeypatch.setattr(first, "FOLDER", tmp_path)
    assert first.paint(panel) == "painted"
    file = tmp_path / "mixture-anatomy.json.gz"
    kept = first.read(file)
    assert first.paint(panel) == "kept"
    stamp = first.stamp
    monkeypatch.setattr(first, "stamp", lambda *given: {**stamp(*given), "function": "another"})
    assert first.paint(panel) == "stamped"
    assert first.read(file)["values"] == kept["values"]
    monkeypatch.setattr(first, "stamp", stamp)
    monkeypatch.setattr(panel, "run", lambda label, number, data: [{"rows": []}])
    assert first.paint(panel) == "painted"
    (tmp_path / "left-over.gif").write_bytes(b"")
    first.forget([panel])
    assert [path.name for path in tmp_path.glob("*")] == [file.name]


def test_the_snippet_makes_the_picture():
    import torch

    from dgm_models.applications.generate import generate

    settings = catalog.family("gmm-mnist").Settings(temperature=0.7)
    code = snippet("gmm-mnist", "torch.full((3,), 4)", 3, 11, settings)
    assert len(code.splitlines()) <= 15
    scope: dict = {}
    exec(code, scope)
    assert torch.equal(scope["x"], generate("gmm-mnist", "444", 11, settings).x)
    exec(snippet("gmm-mnist", "torch.full((3,), 4)", 3, 2**32 - 1, settings), scope)
    assert torch.equal(scope["x"], generate("gmm-mnist", "444", 2**32 - 1, settings).x)


@pytest.mark.parametrize("id", ["reader-mnist", "regressor-mnist", "diffusion-fast-mnist"])
def test_a_model_is_not_asked_what_it_cannot_answer(id):
    from dgm_models.applications.restore import restore

    with pytest.raises(ValueError, match=f"{id} does not answer 'restore'; these do: gmm-mnist"):
        restore(id, mnist.pixels(mnist.test()[0][:1]), None, 0)


def test_links_carry_drawings():
    x, _ = mnist.test()
    pad = widgets.to_sketch(mnist.pixels(x[:1]), mnist.pixels(x[1:2])[0] < 0.5)
    text = widgets.sketch_to_text(pad)
    assert widgets.sketch_from_text(text) == pad
    assert len(text) < 900


def test_the_address_of_every_panel_gives_its_state_back():
    """And so the same key, by which results are kept."""
    assert len(ADDRESSES) > 35
    clicked = {"z": {"here": [0.5, -1.25]}, "at": {"at": 7}}
    for address, panel in ADDRESSES.items():
        for state in (first.defaults(panel), [clicked.get(each.name, each.component.value) for each in panel.fields]):
            query = dict(urllib.parse.parse_qsl(panel.link(state).removeprefix("?"), keep_blank_values=True))
            assert query["tab"] == address
            assert panel.from_query(query) == state, address
            assert panel.key(state) == panel.link(state)


def test_every_row_of_pictures_says_how_large_its_tiles_are():
    """Those of another size than the pads' do, so that the player cuts a sheet where its tiles end; and colours are no ink."""
    import torch

    stored = [value for path in FOLDER.glob("*") for value in first.read(path)["values"]]
    rows = [row for value in stored if isinstance(value, dict) for row in value.get("rows", [])]
    rows += Film([Row(still(torch.zeros(3, 3, 8, 8)), 3)]).value()["rows"]
    assert rows[-1]["tile"] == [8, 8]
    assert rows[-1]["ink"] is False
    for row in (row for row in rows if "view" not in row):
        high, wide = row.get("tile", (28, 28))
        assert (row["height"] + 1) % (high + 1) == (row["width"] + 1) % (wide + 1) == 0, row["title"]


def test_an_empty_pad_is_not_judged():
    import torch

    with pytest.raises(ValueError, match="nothing on the pad"):
        ADDRESSES["my-digit"].whole([widgets.to_sketch(torch.zeros(1, 1, 28, 28))])


def test_a_label_that_is_needed_is_not_left_out():
    panel = ADDRESSES["gflownet.way"]
    pad, _, seed = first.defaults(panel)
    for label, said in (("not given", "expected a label here"), ("12", "from 0 to 9"), (-1, "from 0 to 9")):
        with pytest.raises(ValueError, match=said):
            panel.whole([pad, label, seed])


def test_a_box_is_ticked_or_not_and_nothing_else():
    """An address says True or False, and the API the same: no word of its own is taken for yes."""
    import gradio as gr

    boxes = [(panel, at) for panel in ADDRESSES.values() for at, each in enumerate(panel.inputs) if type(each) is gr.Checkbox]
    assert {panel.address for panel, _ in boxes} >= {"vae.plane", "language", "molecules"}
    for panel, at in boxes:
        state = first.defaults(panel)
        state[at] = "no"
        with pytest.raises(ValueError, match="expected true or false, got 'no'"):
            panel.whole(state)


def test_a_result_of_an_uploaded_picture_is_not_kept():
    panel = ADDRESSES["my-digit"]
    x = mnist.pixels(mnist.test()[0][:1])
    assert panel.key([widgets.to_sketch(x)]) is not None
    assert panel.key([widgets.to_sketch(x, uploaded=True)]) is None


def test_another_digit_has_the_label_that_was_chosen():
    from dgm_models.ui.inputs import ANY_DIGIT, _another

    x, y = mnist.test()
    for which in ("3", "8", ANY_DIGIT):
        picture, _ = widgets.from_sketch(_another(json.loads(PAD), which))
        (found,) = (mnist.pixels(x) - picture).abs().flatten(1).amax(1).lt(1e-3).nonzero()[0]
        assert which in (str(int(y[found])), ANY_DIGIT)


def test_films_thin_to_what_the_player_takes():
    from dgm_models.contracts import Frame

    x = mnist.pixels(mnist.test()[0][:2])
    frames = [Frame(x, str(i)) for i in range(200)]
    film = Film([Row(frames, 2), Row(frames[:3], 2, "short")])
    assert film.count == 40
    assert [film.rows[0].frames[i].note for i in (0, -1)] == ["0", "199"]
    assert len(film.value()["rows"][1]["notes"]) == 40
    assert [f.note for f in resample(frames, 1)] == ["199"]


def test_rows_of_several_sizes_are_saved_as_those_of_the_first():
    import io

    import numpy as np
    import torch
    from PIL import Image

    shown = Film([Row(still(torch.zeros(3, 1, 28, 28)), 3, "a"), Row(still(torch.ones(3, 1, 5, 8)), 3, "b")], "sizes").value()
    assert np.load(io.BytesIO(saved(shown, "npy"))).shape == (3, 1, 28, 28)
    picture = Image.open(io.BytesIO(saved(shown, "png")))
    assert picture.size == (4 * shown["rows"][0]["width"], 4 * (28 + 2 + 5))
    with pytest.raises(ValueError, match="expected an ending of png, gif, npy"):
        saved(shown, "bmp")


def test_a_finished_picture_is_its_own_prediction():
    from dgm_models.contracts import Frame

    x, other = mnist.pixels(mnist.test()[0][:1]), mnist.pixels(mnist.test()[0][1:2])
    film = [Frame(x, "on its way", other), Frame(x, "finished")]
    predicted, finished, silent = (
        Film([Row(frames, 1)]).value()["rows"][0]
        for frames in (film, [Frame(other, "on its way"), Frame(x, "finished")], [Frame(x, "on its way"), Frame(x, "finished")])
    )
    assert predicted["guess"] == finished["sheet"]
    assert silent["guess"] is None


def test_the_models_that_a_link_names_stay_chosen_in_another_data_set():
    from dgm_models.measurements import Hide
    from dgm_models.ui.tabs.shared import Models

    choices = Models("restore", Hide, catalog.data_sets("restore", widgets.CANVAS))
    assert choices.offered("fashion", ["VAE", "Diffusion"]).value == ["Diffusion"]
    assert choices.offered("fashion", ["VAE"]).value == ["Gaussian mixture", "Diffusion"]
    with pytest.raises(ValueError, match="Data set: expected one of mnist, fashion"):
        choices.offered("cifar", [])


def test_the_board_keeps_data_sets_apart():
    """Each has models and figures of its own, and what is perfect for digits is not held up to garments."""
    from dgm_models.ui.tabs import board

    digits, garments = (board.table(board.scores(data), data) for data in ("mnist", "fashion"))
    assert "81% is perfect" in digits
    assert "higher is better" in garments.split("inpainted")[1].split("</th>")[0]
    assert [title for title, _ in board.scores("fashion")] == ["Gaussian mixture", "Diffusion"]
    assert dict(board.scores("fashion"))["Diffusion"]["read_as_asked"] > 0.8


def test_the_board_shows_every_figure_of_the_manifest():
    from dgm_models.ui.tabs import board

    rows, known = board.scores(), weights.manifest()
    text, titles = board.table(rows), [catalog.recipe(id).title for id in catalog.models_for("sample")]
    assert [title for title, _ in rows] == titles
    for id in catalog.models_for("sample"):
        for figure in board.FIGURES:
            value = known[id].get("scores", {}).get(figure.key)
            assert value is None or figure.form.format(value) in text, (id, figure.key)
    drawn = board.chart(rows, board.BY_NAME[board.ACROSS], board.BY_NAME[board.UP])
    both = [title for title, found in rows if {"milliseconds_16", "frechet_ratio"} <= set(found)]
    assert drawn.count("<circle") == len(both) >= 4
    assert all(f">{title}</text>" in drawn for title in both)


def test_a_chart_puts_the_better_where_it_says():
    """Faster to the left, a smaller distance further down, on logarithmic axes; one model alone is no error."""
    import re

    from dgm_models.ui.tabs import board

    across, up = board.BY_NAME[board.ACROSS], board.BY_NAME[board.UP]
    rows = [(str(k), {across.key: 10.0**k, up.key: 2.0 * 10.0**k}) for k in (0, 1, 2)]
    dots = {
        title: (float(x), float(y))
        for x, y, title in re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="6"/><text [^>]*>(\d)<', board.chart(rows, across, up))
    }
    assert dots["1"][0] - dots["0"][0] == pytest.approx(dots["2"][0] - dots["1"][0], abs=0.2)
    assert dots["0"][1] > dots["1"][1] > dots["2"][1]
    assert board.chart(rows[:1], across, up).count("<circle") == 1
    assert "No model has both" in board.chart([("a", {})], across, up)
