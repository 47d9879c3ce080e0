"""The app: pages, their tabs and views, one model thread, addresses that open a state."""

from __future__ import annotations

import html
import os
import re
import signal
import threading
import time
import uuid
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import gradio as gr
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from dgm_models import weights
from dgm_models.ui.film import ENDINGS, Shown, saved
from dgm_models.ui.first import FOLDER, PLACE, show_first
from dgm_models.ui.photos import PHOTOS
from dgm_models.ui.serve import LOOK, MODEL_EVENT, MOST_UPLOAD, BodyLimit, Signpost, delivered, light_visits, results, whole_answer
from dgm_models.ui.tabs import (
    autoregressive,
    belief,
    board,
    boltzmann,
    captions,
    colorization,
    diffusion,
    digits,
    energy,
    enlarging,
    filling,
    flow,
    gan,
    gaussian_mixture,
    gflownet,
    gradient_flow,
    gsn,
    inpainting,
    interpolation,
    language,
    molecules,
    mydigit,
    start,
    style,
    superresolution,
    translation,
    vae,
    years,
)
from dgm_models.ui.widgets import ASSETS, Live, script

SAVED = "gradio_api/save"  # where files of results are, beside the page
SOCIAL = "gradio_api/social.png"  # where the picture is that other sites show beside a link to this one
PATIENCE = 20.0  # seconds
PEOPLE = 600  # events at once: 300 people, and what their pages ask besides


class Page(NamedTuple):
    """What has an address of its own and loads alone: the name of the page, its path, its tabs. A page of one tab has no row of tabs."""

    name: str
    path: str
    tabs: tuple[ModuleType, ...]

    @property
    def trained(self) -> list[ModuleType]:
        return [tab for tab in self.tabs if getattr(tab, "MODEL", None) is None or tab.MODEL in weights.manifest()]


PAGES = (
    Page("Start", "", (start,)),
    Page("Families", "families", (gaussian_mixture, autoregressive, flow, vae, diffusion, energy, gan)),
    Page("Lesser known", "lesser-known", (belief, boltzmann, gsn, gradient_flow, gflownet)),
    Page("Digits", "digits", (digits, style, inpainting, superresolution, interpolation)),
    Page("Pictures", "pictures", (colorization, enlarging, filling, translation, captions, years)),
    Page("Sequences", "sequences", (language,)),
    Page("Science", "science", (molecules,)),
    Page("Compare", "compare", (mydigit, board)),
)


def build_app(firsts: bool = True) -> gr.Blocks:
    """All pages; `panels` are all that make results, by their addresses, `paths` the page of each. Each view starts with its first result,
    so that nothing is ever empty, unless those are not wanted."""
    demo = gr.Blocks(title="Deep generative models", analytics_enabled=False, delete_cache=(3600, 7200))
    demo.panels, demo.paths = {}, {}
    for page in PAGES:
        with demo.route(page.name, page.path) if page.path else demo:
            panels = _lay_out(demo, page)
        demo.panels |= panels
        demo.paths |= dict.fromkeys(panels, page.path)
    for panel in demo.panels.values() if firsts else ():
        show_first(panel)
    light_visits(demo)
    return demo


def _lay_out(demo: gr.Blocks, page: Page) -> dict[str, Live]:
    """Build a page; its panels by their addresses."""
    gr.Navbar(main_page_name=PAGES[0].name)
    panels: dict[str, Live] = {}
    inner: dict[str, gr.Tabs] = {}
    row = partial(gr.Tabs, overflow_behavior="wrap")  # on a phone all can be seen
    with row(elem_classes="dgm-tabs") as outer:
        for tab in page.trained:
            with gr.Tab(tab.TITLE, id=tab.ID), row(elem_classes="dgm-views") as inner[tab.ID]:
                panel = tab.build()
                panels |= {tab.ID: panel, **{f"{tab.ID}.{name}": part for name, part in panel.parts.items()}}
    _open_addresses(demo, outer, inner, panels)
    return panels


def _open_addresses(demo: gr.Blocks, outer: gr.Tabs, inner: dict[str, gr.Tabs], panels: dict[str, Live]) -> None:
    """?tab=...&...: select tab and view; where the address names settings, set the controls and make the result.

    Selecting waits for nobody; only an address that asks for a result queues where those are made.
    """
    asked = gr.State({})

    def select(request: gr.Request) -> dict[Any, Any]:
        query = dict(request.query_params)
        wanted = query.get("tab")
        if wanted not in panels:
            if wanted is not None:
                gr.Warning(f"This address names no view: there is no {html.escape(wanted[:40], quote=False)!r} on this page.")
            return {outer: gr.skip()}
        tab = wanted.partition(".")[0]
        selected = {outer: gr.Tabs(selected=tab), inner[tab]: gr.Tabs(selected=wanted)}
        return {**selected, asked: query} if any(each.name in query for each in panels[wanted].fields) else selected

    async def fill(request: gr.Request, query: dict[str, str]) -> dict[Any, Any]:
        panel, made = panels[query["tab"]], None
        values, faults = panel.understood(query)
        try:
            made = await whole_answer(panel, values, request.session_hash or "")
        except gr.Error as error:
            faults.append(str(error.message))
            made = [each.value for each in panel.outputs]  # what everybody finds
            values = [each.value for each in panel.inputs]
        for fault in faults:
            gr.Warning(f"This address could not be opened as it is: {html.escape(fault, quote=False)}")
        if made is None:  # something newer was asked for
            return {outer: gr.skip()}
        return {**dict(zip(panel.inputs, values, strict=True)), **dict(zip(panel.outputs, delivered(made), strict=True))}

    places = [outer, *inner.values(), asked]
    demo.load(select, None, places, api_visibility="private", show_progress="hidden", concurrency_limit=None)
    components = {c for panel in panels.values() for c in (*panel.inputs, *panel.outputs)}
    players = [panel.outputs[0] for panel in panels.values()]
    asked.change(fill, asked, [outer, *components], api_visibility="private", show_progress_on=players, **MODEL_EVENT)


# serving --------------------------------------------------------------------------------------------------------------


def theme() -> gr.themes.Base:
    shades = ("#eef4fc", "#dbe8f9", "#b9d1f3", "#8ab4f8", "#5a93e6", "#2f73d0", "#1f5fbf", "#1a4f9f", "#173f7d", "#14345f", "#0d2240")
    blue = gr.themes.colors.Color(*shades, name="dgm")
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"]
    mono = ["ui-monospace", "monospace"]
    return gr.themes.Default(
        primary_hue=blue, neutral_hue="slate", spacing_size="sm", radius_size="sm", text_size="lg", font=fonts, font_mono=mono
    ).set(body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300")


def _cover() -> str:
    """HTML: what other sites show of a page. They want a whole address of its picture, which a Space knows."""
    host = os.environ.get("SPACE_HOST")
    said = {
        "og:title": "Deep generative models",
        "og:description": "Every family of generative model, trained, live, and taken apart on one screen.",
        "og:image": f"https://{host}/{SOCIAL}" if host else SOCIAL,
        "twitter:card": "summary_large_image",
    }
    return "".join(f'<meta property="{name}" content="{html.escape(text)}" />' for name, text in said.items())


async def _social(_: Request) -> Response:
    return FileResponse(ASSETS / "ui" / "social.png")


async def _first(request: Request) -> Response:
    """A stored first result. A route and no mount: under a path that a proxy takes away, a mount looks for its files in the wrong place."""
    path = FOLDER / Path(request.path_params["file"]).name
    if not path.is_file():
        return PlainTextResponse("there is no such first result", 404)
    return FileResponse(path, media_type="application/json", headers={"Content-Encoding": "gzip"})


async def _photograph(request: Request) -> Response:
    path = ASSETS / "data" / "photos" / Path(request.path_params["file"]).name
    return FileResponse(path) if path.suffix == ".webp" and path.is_file() else PlainTextResponse("there is no such photograph", 404)


def _saving(panels: dict[str, Live]) -> Route:
    """A file of a result, made when it is asked for: save/NAME.ENDING with the query that opens the result."""

    async def save(request: Request) -> Response:
        name, _, ending = request.path_params["file"].rpartition(".")
        try:
            query = dict(request.query_params)
            if query.get("tab") not in panels or ending not in ENDINGS:
                raise ValueError(f"File: expected an ending of {', '.join(ENDINGS)} and the address of a result")
            panel = panels[query["tab"]]
            made = await whole_answer(panel, panel.from_query(query), f"save {uuid.uuid4()}")
            shown = next((value for value in made if isinstance(value, Shown)), None)
            if shown is None:
                raise ValueError("File: this result has no pictures to save")
            raw = await run_in_threadpool(saved, shown, ending)
        except (ValueError, gr.Error) as error:
            return PlainTextResponse(str(error), 400)
        file = re.sub(r"[^\w.-]", "-", name)[:80] or "picture"
        return Response(raw, media_type=ENDINGS[ending], headers={"Content-Disposition": f'attachment; filename="{file}.{ending}"'})

    return Route(f"/{SAVED}/{{file}}", save)


def serve(demo: gr.Blocks) -> None:
    """Serve until the process is asked to end (SIGTERM, as a Space or a container is; or Control-C): then what is being made is
    finished, for at most PATIENCE seconds, whoever still waits is told, and no more is taken."""
    asked = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: asked.set())
    demo.launch(prevent_thread_lock=True, **launch_options(demo))
    while not asked.wait(1.0):
        pass
    results.turns.close(PATIENCE)
    time.sleep(3 * LOOK)  # whoever still waits is told, and the last answers are on their way
    demo.close()


def launch_options(demo: gr.Blocks) -> dict[str, Any]:
    """For demo.launch: how the page looks, what it refuses, what it serves besides."""
    return {
        "theme": theme(),
        "inbrowser": bool(os.environ.get("DGM_OPEN")),
        "css": (ASSETS / "ui" / "style.css").read_text(encoding="utf-8"),
        "head": f"<script>{script()}</script>",
        "favicon_path": ASSETS / "ui" / "favicon.svg",
        "max_file_size": MOST_UPLOAD,
        "max_threads": PEOPLE,
        "state_session_capacity": 2 * PEOPLE,
        "enable_monitoring": False,
        "app_kwargs": {
            "middleware": [Middleware(BodyLimit), Middleware(Signpost, paths=demo.paths, cover=_cover())],
            "routes": [
                Route(f"/{PLACE}/{{file}}", _first),
                Route(f"/{PHOTOS}/{{file}}", _photograph),
                Route(f"/{SOCIAL}", _social),
                _saving(demo.panels),
            ],
        },
    }
