"""The GAN: its samples, a walk through its codes, and what its critic says of a digit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Frame, Noise, check_seed
from dgm_models.data import mnist
from dgm_models.probability import slerp
from dgm_models.ui import widgets
from dgm_models.ui.charts import Group, histograms
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import react
from dgm_models.ui.tabs.shared import Models, digit_pad, label_control, label_of, other_seed
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL = "gan", "GAN", "gan-mnist"
CORNERS, FRAMES_A_SIDE, JUDGED = 4, 8, 400


def walk(seed: Any, truncation: Any, link: str) -> list[Any]:
    """A closed path over CORNERS codes, all ten labels at each: what the code says, the labels share."""
    loaded, seed = catalog.open_model(MODEL), check_seed(seed)
    model = loaded.model
    corners = model.codes(Noise(seeds_from(seed, CORNERS)), model.Settings(truncation=truncation))
    frames, labels = [], torch.arange(10)
    with measured(loaded, MODEL, seed, 10) as receipt:
        for at in range(CORNERS * FRAMES_A_SIDE + 1):
            side, share = divmod(at, FRAMES_A_SIDE)
            here, there = side % CORNERS, (side + 1) % CORNERS
            z = slerp(corners[here][None], corners[there][None], share / FRAMES_A_SIDE)
            frames.append(Frame(model.decode(z.expand(10, -1), labels), f"from code {here + 1} to code {there + 1}"))
    film = Film([Row(frames, 5)], receipt=str(receipt), link=link, tall=330)
    return [film.value(f"gan-walk-{seed}")]


@lru_cache(maxsize=11)
def known_scores(label: int) -> tuple[Tensor, Tensor]:
    """The critic's scores of test digits and of samples, of one label (with -1: of any, and it is not told which)."""
    model, (x, y) = catalog.load(MODEL), mnist.test()
    real = mnist.pixels((x if label < 0 else x[y == label])[:JUDGED])
    made = model.sample(Noise(range(JUDGED)), torch.full((JUDGED,), label))
    return tuple(model.score(some, torch.full((len(some),), label)) for some in (real, made))


def criticise(pad: Any, label: Any, link: str) -> list[Any]:
    """The digit, the nearest that the generator can do, and the critic's scores of both among those of real and generated ones."""
    (x, _), label = widgets.from_sketch(pad), label_of(label)
    loaded, y = catalog.open_model(MODEL), torch.tensor([label])
    model = loaded.model
    with measured(loaded, MODEL, 0, 1) as receipt:
        again = model.decode(model.encode(x, y), y)
        mine, near = (float(model.score(some, y)) for some in (x, again))
    real, made = known_scores(label)
    heads = ("your digit", "nearest generated", "difference")
    row = Row(still(torch.cat([x, again, (x - again).abs()])), 3, heads=heads)
    said = f"Your digit scores higher than {float((real < mine).float().mean()):.0%} of the test digits"
    film = Film([row], receipt=f"{said} · {receipt.cost} · {Models.provenance([MODEL])}", link=link, tall=170)
    groups = [Group("test digits", real, "data"), Group("samples", made, "model")]
    chart = histograms(groups, [("your digit", mine), ("nearest generated", near)], "the critic's score: higher looks more real to it")
    return [chart, film.value("gan-critic")]


def build() -> Live:
    panel = family_panel(ID, MODEL, "gan")
    panel.parts["walk"] = _walk()
    panel.parts["critic"] = _critic()
    return panel


def _walk() -> Live:
    gr.Markdown("### A latent walk: one code for all ten labels, moving in a circle. What stays alike is what the code means")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            default, knob = catalog.family(MODEL).Settings.knobs()["truncation"]
            truncation = gr.Slider(knob.low, knob.high, value=default, step=knob.step, label=knob.label)
            seed = widgets.seed_field()
            go = gr.Button("Other codes", size="sm", variant="primary")
        with gr.Column(scale=8, min_width=300):
            result = widgets.player("gan-walk")

    def run(seed: Any, truncation: Any) -> list[Any]:
        return walk(seed, truncation, part.link([seed, truncation]))

    part = Live(f"{ID}.walk", [seed, Field("truncation", truncation, float)], run, [result])
    react([other_seed(go, seed.component), seed.component.submit, truncation.release], part)
    return part


def _critic() -> Live:
    gr.Markdown("### The critic, and what the generator cannot do: your digit, and the nearest one that any code was found for")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("criticised", ["draw", "erase"], 18)
            label = label_control()
        with gr.Column(scale=4, min_width=280):
            result = widgets.player("gan-critic")
        with gr.Column(scale=5, min_width=280):
            chart = gr.HTML(elem_id="chart-gan")
            gr.Markdown(
                "Scores of two pictures may be compared, one alone means nothing: the critic learned which of a pair is real. "
                "Late in a game that went well, it can hardly tell the two histograms apart.",
                elem_classes="dgm-hint",
            )

    def run(pad: Any, label: Any) -> list[Any]:
        return criticise(pad, label, part.link([pad, label]))

    part = Live(f"{ID}.critic", [pad, label], run, [chart, result])
    react([label.component.input, *changed], part)
    return part
