"""The generative flow network: shape a reward on a grid, train live, and see whether cells are drawn in proportion to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import weights
from dgm_models.applications.balance import NAMES, ways
from dgm_models.applications.grid import PRESETS, SHOWN, GridSettings, followed, fresh, learn, preset, shaped
from dgm_models.contracts import Frame
from dgm_models.families.grid_gflownet import Trained, total_variation
from dgm_models.turns import paced
from dgm_models.ui import panel as p
from dgm_models.ui import widgets
from dgm_models.ui.charts import decay
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.inputs import held_out
from dgm_models.ui.serve import refusing
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Field, Live

ID, TITLE, DRAWN, DIGITS = "gflownet", "GFlowNet", "drawn", "gflownet-mnist"
PART = 8  # reports between two that the page shows while it trains


def build() -> Live:
    panel = _grid()
    if DIGITS in weights.manifest():
        words = "Pixel by pixel: the reward is what a restricted Boltzmann machine holds a picture worth."
        panel.parts["digits"] = family_panel(f"{ID}-digits", DIGITS, "gflownet", f"{ID}.digits", "Digits", words)
        panel.parts["way"] = p.panel(
            f"{ID}.way",
            [
                p.column(3, p.pad("weighed-way", 18), p.label(needed=held_out(18)[1]), p.seed()),
                p.column(9, p.player(f"{ID}-way"), p.chart(f"{ID}-way"), width=300),
            ],
            _balanced,
            "Balance",
            "The flow along the way to a picture starts at Z and should end at its reward, for good pictures and bad ones.",
        )
    return panel


def _balanced(x: Tensor, y: int, seed: int) -> list[Any]:
    """The way to a digit, to one that is spoiled and to one that the network draws: the flow through it, and the reward at its end."""
    made = ways(DIGITS, x, y, seed)
    told = [f"{name}: flow {made.flow[name][-1]:,.0f}, reward {made.log_reward[i]:,.0f} nats" for i, name in enumerate(NAMES)]
    rows = [
        Row(made.frames, 3, "The way", "; ".join(told), NAMES),
        Row(still(made.chances), 3, "Chances", "of each pixel, given those before it"),
    ]
    film = Film(rows, f"{ID}-way-{seed}", f"{made.receipt.cost} · {Models.provenance([DIGITS])} · seed {seed}")
    axis = f"rows of pixels decided, 0 to {len(made.frames) - 1}"
    return [film, decay(made.flow, axis, "log flow through what is decided so far, nats", linear=True)]


def _grid() -> Live:
    return p.panel(
        ID,
        [
            p.column(3, _reward, p.knobs(GridSettings), p.seed(), p.press("Train")),
            p.column(10, p.player(ID), p.chart(ID), width=300),
            p.column(4, p.Card("grid_gflownet"), width=250),
        ],
        _trained,
        "On a grid",
        api_name=ID,
    )


def _reward(_: list[p.Laid]) -> p.Laid:
    """A pad for the reward, and rewards by name."""
    start = widgets.to_sketch(preset(PRESETS[0])[None, None])
    pad = widgets.sketch("reward", list(p.DRAW), value=start, centres=False)
    which = gr.Dropdown([*PRESETS, DRAWN], value=PRESETS[0], label="Reward")
    chosen = which.input(refusing(_preset), which, pad, **p.QUICK)
    pad.change(_name_of, pad, which, api_visibility="private", show_progress="hidden")
    field = Field("pad_reward", pad, widgets.sketch_from_text, widgets.sketch_to_text, costly=False)
    return p.Laid("reward", [field], lambda value: shaped(widgets.from_sketch(value)[0]), [chosen.success], p.PICTURE)


def _preset(name: Any) -> Any:
    return gr.skip() if name == DRAWN else widgets.to_sketch(preset(name)[None, None])


def _name_of(pad: Any) -> str:
    drawn = widgets.to_sketch(widgets.from_sketch(pad)[0])
    return next((name for name in PRESETS if widgets.to_sketch(preset(name)[None, None]) == drawn), DRAWN)


def _trained(reward: Tensor, seed: int, settings: GridSettings) -> Iterator[list[Any]]:
    policy = fresh(seed)
    frames: list[Frame] = []
    variation: list[float] = []
    heads = ("reward", "drawn by the flow", "difference")
    told = f"TV: total variation, 0 is perfect; log Z is {float(reward.double().sum().log()):.2f} in truth"
    for count, report in enumerate(paced(learn(policy, reward, seed, settings))):
        frames.append(_seen(report, reward))
        variation.append(total_variation(report.chances, reward))
        if count % PART == PART - 1:
            yield [Film([Row(frames, 3, "Training", told, heads)], receipt="training", partial=True), gr.skip()]
    paths = [Frame(x[:, None], "") for x in followed(policy, seed)]
    rows = [
        Row(frames, 3, "Training", told, heads),
        Row(paths, SHOWN, "Ways", "from the corner, a step at a time; bright is where it is, and where it stops"),
    ]
    receipt = f"trained here and now by {report.trajectories:,} trajectories, {policy.side} × {policy.side} cells · seed {seed}"
    chart = decay({"total variation": variation}, "reports, from the first weights to the last", "total variation: 0 is perfect")
    yield [Film(rows, f"{ID}-{seed}", receipt), chart]


def _seen(report: Trained, reward: Tensor) -> Frame:
    """The reward, how likely cells are, and where they differ, all over the largest share; and how far off the whole is."""
    share, chances = reward / reward.sum(), report.chances.float()
    scale = share.max()
    tiles = torch.stack([share / scale, (chances / scale).clamp(max=1), ((chances - share).abs() / scale).clamp(max=1)])[:, None]
    return Frame(tiles, f"TV {total_variation(report.chances, reward):.3f}, log Z {report.log_z:.2f}")
