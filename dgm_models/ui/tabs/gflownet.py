"""The generative flow network: shape a reward on a grid, train live, and see whether cells are drawn in proportion to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models.applications.grid import PRESETS, SHOWN, GridSettings, followed, fresh, learn, preset, shaped
from dgm_models.contracts import Frame, check_seed
from dgm_models.families.gflownet import Trained, total_variation
from dgm_models.ui import widgets
from dgm_models.ui.card import LATEX
from dgm_models.ui.charts import decay
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import ALONE, refusing, streaming
from dgm_models.ui.tabs.shared import other_seed, react, whole_of
from dgm_models.ui.widgets import ASSETS, Field, Live

ID, TITLE, DRAWN = "gflownet", "GFlowNet", "drawn"
PART = 8  # reports between two that the page shows while it trains


def seen(report: Trained, reward: Tensor) -> Frame:
    """The reward, how likely cells are, and where they differ, all over the largest share; and how far off the whole is."""
    share, chances = reward / reward.sum(), report.chances.float()
    scale = share.max()
    tiles = torch.stack([share / scale, (chances / scale).clamp(max=1), ((chances - share).abs() / scale).clamp(max=1)])[:, None]
    return Frame(tiles, f"TV {total_variation(report.chances, reward):.3f}, log Z {report.log_z:.2f}")


def build() -> Live:
    def grow(pad: Any, seed: Any, *values: Any) -> Iterator[list[Any]]:
        settings, seed = widgets.settings_from(GridSettings, knobs, values), check_seed(seed)
        policy, reward = fresh(seed), shaped(widgets.from_sketch(pad)[0])
        frames: list[Frame] = []
        variation: list[float] = []
        link = panel.link(ID, [pad, seed, *values])
        heads = ("reward", "drawn by the flow", "difference")
        told = f"TV: total variation, 0 is perfect; log Z is {float(reward.double().sum().log()):.2f} in truth"
        for count, report in enumerate(learn(policy, reward, seed, settings)):
            frames.append(seen(report, reward))
            variation.append(total_variation(report.chances, reward))
            if count % PART == PART - 1:
                so_far = Film([Row(frames, 3, "Training", told, heads)], receipt="training", link=link, tall=300)
                yield [*widgets.growing(so_far), gr.skip()]
        paths = [Frame(x[:, None], "") for x in followed(policy, seed)]
        rows = [
            Row(frames, 3, "Training", told, heads),
            Row(paths, SHOWN, "Ways", "from the corner, a step at a time; bright is where it is, and where it stops"),
        ]
        film = Film(
            rows,
            receipt=f"trained here and now by {report.trajectories:,} trajectories, {policy.side} × {policy.side} cells · seed {seed}",
            link=link,
            tall=330,
        )
        yield [
            *widgets.shown(film, f"{ID}-{seed}"),
            decay({"total variation": variation}, "reports, from the first weights to the last", "total variation: 0 is perfect"),
        ]

    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            start = widgets.to_sketch(preset("four modes")[None, None])
            component = widgets.sketch("reward", ["draw", "erase"], value=start)
            pad = Field("pad_reward", component, widgets.sketch_from_text, widgets.sketch_to_text)
            which = gr.Dropdown([*PRESETS, DRAWN], value=PRESETS[0], label="Reward")
            knobs = widgets.knobs(GridSettings)
            seed = widgets.seed_field()
            go = gr.Button("Train", size="sm", variant="primary")
            again = gr.Button("Train from other weights", size="sm")
        with gr.Column(scale=10, min_width=300, elem_classes="dgm-result"):
            result = widgets.result(ID)
            chart = gr.HTML(elem_id="chart-gflownet")
        with gr.Column(scale=4, min_width=250):
            gr.Markdown((ASSETS / "lessons" / "gflownet.md").read_text(), latex_delimiters=LATEX, elem_classes="dgm-card")
    panel = Live([pad, seed, *knobs], whole_of(grow), [*result.outputs, chart])
    handler = streaming(grow)
    chosen = which.input(refusing(_preset), which, component, api_visibility="private")
    component.change(_name_of, component, which, api_visibility="private", show_progress="hidden")
    go.click(handler, panel.inputs, panel.outputs, api_name=ID, **ALONE)
    react([chosen.success, other_seed(again, seed.component), seed.component.submit], handler, panel.inputs, panel.outputs)
    return panel


def _preset(name: Any) -> Any:
    return gr.skip() if name == DRAWN else widgets.to_sketch(preset(name)[None, None])


def _name_of(pad: Any) -> str:
    drawn = widgets.to_sketch(widgets.from_sketch(pad)[0])
    return next((name for name in PRESETS if widgets.to_sketch(preset(name)[None, None]) == drawn), DRAWN)
