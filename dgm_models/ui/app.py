"""The app: two levels of tabs, one model thread, addresses that open a state."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from dgm_models import weights
from dgm_models.ui.first import FOLDER, PLACE, first
from dgm_models.ui.serve import ALONE, MOST_UPLOAD, BodyLimit, live, refusal
from dgm_models.ui.tabs import (
    autoregressive,
    belief,
    board,
    boltzmann,
    diffusion,
    digits,
    energy,
    flow,
    gan,
    gaussian_mixture,
    gflownet,
    gradient_flow,
    gsn,
    inpainting,
    interpolation,
    mydigit,
    superresolution,
    vae,
)
from dgm_models.ui.widgets import ASSETS, Live

LEVELS: dict[str, tuple[ModuleType, ...]] = {
    "Families": (gaussian_mixture, autoregressive, flow, vae, diffusion, energy, gan),
    "Lesser known": (belief, boltzmann, gsn, gradient_flow, gflownet),
    "Applications": (digits, inpainting, superresolution, interpolation),
    "Compare": (mydigit, board),
}


def is_trained(tab: ModuleType) -> bool:
    """The tab of a family opens when the weights of its model are there."""
    return getattr(tab, "MODEL", None) is None or tab.MODEL in weights.manifest()


def build_app() -> gr.Blocks:
    """The whole page. Each tab starts with its stored first result, so that nothing is ever empty."""
    with gr.Blocks(title="Deep generative models", analytics_enabled=False, delete_cache=(3600, 7200)) as demo:
        gr.Markdown("# Deep generative models: p(x | y), taken apart", elem_id="dgm-title")
        panels: dict[str, tuple[str, str, Live]] = {}  # address -> level, tab, panel
        inner: dict[str, gr.Tabs] = {}
        with gr.Tabs(elem_id="dgm-level") as outer:
            for level, tabs in LEVELS.items():
                with gr.Tab(level, id=level), gr.Tabs(elem_id=f"dgm-{level.lower().replace(' ', '-')}") as inner[level]:
                    for tab in filter(is_trained, tabs):
                        with gr.Tab(tab.TITLE, id=tab.ID):
                            panels[tab.ID] = level, tab.ID, (panel := tab.build())
                            panels |= {f"{tab.ID}.{name}": (level, tab.ID, part) for name, part in panel.parts.items()}
        for address, (_, _, panel) in panels.items():
            made = lambda panel=panel: panel.run(*(each.value for each in panel.inputs))  # noqa: E731
            first(address.replace(".", "-"), panel.outputs, made, panel.stored)
        _open_addresses(demo, outer, inner, panels)
    return demo


def _open_addresses(demo: gr.Blocks, outer: gr.Tabs, inner: dict[str, gr.Tabs], panels: dict[str, tuple[str, str, Live]]) -> None:
    """?tab=...&...: select the tab; where the address names settings of it, set its controls and make its picture.

    Selecting waits for nobody; only an address that asks for a picture queues where pictures are made.
    """
    asked = gr.State({})

    def select_tab(request: gr.Request) -> dict[Any, Any]:
        query = dict(request.query_params)
        wanted = query.get("tab")
        if wanted not in panels:
            return {outer: gr.skip()}
        level, tab, panel = panels[wanted]
        selected = {outer: gr.Tabs(selected=level), inner[level]: gr.Tabs(selected=tab)}
        return {**selected, asked: query} if any(each.name in query for each in panel.fields) else selected

    def fill_tab(query: dict[str, str]) -> dict[Any, Any]:
        *_, panel = panels[query["tab"]]
        try:
            values = panel.from_query(query)
            made = live(lambda *each: tuple(panel.run(*each)))(*values)
        except (ValueError, gr.Error) as error:
            said = error if isinstance(error, gr.Error) else refusal(error)
            gr.Warning(f"This address could not be opened as it is: {said.message}")
            return {outer: gr.skip()}
        return {**dict(zip(panel.inputs, values, strict=True)), **dict(zip(panel.outputs, made, strict=True))}

    places = [outer, *inner.values(), asked]
    demo.load(select_tab, None, places, api_visibility="private", show_progress="hidden", concurrency_limit=None)
    components = {c for *_, panel in panels.values() for c in (*panel.inputs, *panel.outputs)}
    players = [panel.outputs[0] for *_, panel in panels.values()]
    asked.change(fill_tab, asked, [outer, *components], api_visibility="private", show_progress_on=players, **ALONE)


# serving --------------------------------------------------------------------------------------------------------------


def theme() -> gr.themes.Base:
    shades = ("#eef4fc", "#dbe8f9", "#b9d1f3", "#8ab4f8", "#5a93e6", "#2f73d0", "#1f5fbf", "#1a4f9f", "#173f7d", "#14345f", "#0d2240")
    blue = gr.themes.colors.Color(*shades, name="dgm")
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"]
    mono = ["ui-monospace", "monospace"]
    return gr.themes.Default(primary_hue=blue, neutral_hue="slate", spacing_size="sm", radius_size="sm", font=fonts, font_mono=mono).set(
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300"
    )


def launch_options() -> dict[str, Any]:
    """For demo.launch: how the page looks, and what it refuses."""
    return {
        "theme": theme(),
        "inbrowser": bool(os.environ.get("DGM_OPEN")),
        "css": (ASSETS / "ui" / "style.css").read_text(),
        "max_file_size": MOST_UPLOAD,
        "enable_monitoring": False,
        "app_kwargs": {
            "middleware": [Middleware(BodyLimit)],
            "routes": [Mount(f"/{PLACE}", StaticFiles(directory=FOLDER, check_dir=False))],
        },
    }
