"""The generative flow network: shape a reward on a grid, train live, and see whether cells are drawn in proportion to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models import catalog, weights
from dgm_models.applications.grid import PRESETS, SHOWN, GridSettings, followed, fresh, learn, preset, shaped
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Frame, Noise, check_seed
from dgm_models.families.grid_gflownet import Trained, total_variation
from dgm_models.turns import paced
from dgm_models.ui import widgets
from dgm_models.ui.card import LATEX
from dgm_models.ui.charts import decay
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import one_of, react, refusing
from dgm_models.ui.tabs.shared import Models, digit_pad, held_out, other_seed
from dgm_models.ui.widgets import ASSETS, Field, Live

ID, TITLE, DRAWN, DIGITS = "gflownet", "GFlowNet", "drawn", "gflownet-mnist"
FLIPPED = 20  # pixels of a digit that is spoiled
PART = 8  # reports between two that the page shows while it trains


def seen(report: Trained, reward: Tensor) -> Frame:
    """The reward, how likely cells are, and where they differ, all over the largest share; and how far off the whole is."""
    share, chances = reward / reward.sum(), report.chances.float()
    scale = share.max()
    tiles = torch.stack([share / scale, (chances / scale).clamp(max=1), ((chances - share).abs() / scale).clamp(max=1)])[:, None]
    return Frame(tiles, f"TV {total_variation(report.chances, reward):.3f}, log Z {report.log_z:.2f}")


def weighed(pad: Any, label: Any, seed: Any, link: str) -> list[Any]:
    """The way to a digit, to one that is spoiled and to one that the network draws: the flow through it, and the reward at its end."""
    (x, _), seed = widgets.from_sketch(pad), check_seed(seed)
    y = int(one_of(label, "Label y", tuple("0123456789")))
    loaded = catalog.open_model(DIGITS)
    model, noise = loaded.model, Noise([seed])
    labels = torch.full((3,), y)
    with measured(loaded, DIGITS, seed, 1) as receipt, torch.no_grad():
        mine = model.bits.of(x)
        flipped = noise.uniform(784).argsort(1)[:, :FLIPPED]
        spoiled = mine.scatter(1, flipped, 1 - mine.gather(1, flipped))
        v = torch.cat([mine, spoiled, model.walk(labels[:1], noise.uniform(784))])
        logits = model.network(v, labels)
        nats = -F.binary_cross_entropy_with_logits(logits, v, reduction="none")
        log_z, log_reward = float(model.log_z[y]), model.log_reward(v, labels).tolist()
    names = ("your digit", f"{FLIPPED} pixels flipped", "drawn by the network")
    rows = [28 * row for row in range(29)]
    flow = {name: [log_z + float(each[:count].sum()) for count in rows] for name, each in zip(names, nats, strict=True)}
    decided = [torch.where(torch.arange(784) < count, v, 0.0).view(3, 1, 28, 28) for count in rows]
    told = [f"{name}: flow {flow[name][-1]:,.0f}, reward {log_reward[i]:,.0f} nats" for i, name in enumerate(names)]
    frames = [Frame(x, f"{count} of 784 pixels decided") for x, count in zip(decided, rows, strict=True)]
    chances = still(logits.sigmoid().view(3, 1, 28, 28))
    film = Film(
        [Row(frames, 3, "The way", "; ".join(told), names), Row(chances, 3, "Chances", "of each pixel, given those before it")],
        receipt=f"{receipt.cost} · {Models.provenance([DIGITS])} · seed {seed}",
        link=link,
        tall=330,
    )
    return [
        film.value(f"{ID}-way-{seed}"),
        decay(flow, "rows of pixels decided, 0 to 28", "log flow through what is decided so far, nats", linear=True),
    ]


def build() -> Live:
    panel = _grid()
    if DIGITS in weights.manifest():
        gr.Markdown("### Digits, pixel by pixel: the reward is what a restricted Boltzmann machine holds a picture worth")
        panel.parts["digits"] = family_panel(f"{ID}-digits", DIGITS, "gflownet", address=f"{ID}.digits")
        panel.parts["way"] = _way()
    return panel


def _way() -> Live:
    gr.Markdown("### Balance: the flow along the way to a picture starts at Z and should end at its reward, for good pictures and bad ones")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("weighed-way", ["draw", "erase"], 18)
            label = Field("label", gr.Dropdown(list("0123456789"), value=str(held_out(18)[1]), label="Label y"))
            seed = widgets.seed_field()
            go = gr.Button("Another draw", size="sm", variant="primary")
        with gr.Column(scale=9, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(f"{ID}-way")
            chart = gr.HTML(elem_id="chart-gflownet-way")

    def run(pad: Any, label: Any, seed: Any) -> list[Any]:
        return weighed(pad, label, seed, part.link([pad, label, seed]))

    part = Live(f"{ID}.way", [pad, label, seed], run, [result, chart])
    react([*changed, label.component.input, seed.component.submit, other_seed(go, seed.component)], part)
    return part


def _grid() -> Live:
    def grow(pad: Any, seed: Any, *values: Any) -> Iterator[list[Any]]:
        settings, seed = widgets.settings_from(GridSettings, knobs, values), check_seed(seed)
        policy, reward = fresh(seed), shaped(widgets.from_sketch(pad)[0])
        frames: list[Frame] = []
        variation: list[float] = []
        link = panel.link([pad, seed, *values])
        heads = ("reward", "drawn by the flow", "difference")
        told = f"TV: total variation, 0 is perfect; log Z is {float(reward.double().sum().log()):.2f} in truth"
        for count, report in enumerate(paced(learn(policy, reward, seed, settings))):
            frames.append(seen(report, reward))
            variation.append(total_variation(report.chances, reward))
            if count % PART == PART - 1:
                so_far = Film([Row(frames, 3, "Training", told, heads)], receipt="training", link=link, tall=300)
                yield [widgets.growing(so_far), gr.skip()]
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
            film.value(f"{ID}-{seed}"),
            decay({"total variation": variation}, "reports, from the first weights to the last", "total variation: 0 is perfect"),
        ]

    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            start = widgets.to_sketch(preset("four modes")[None, None])
            component = widgets.sketch("reward", ["draw", "erase"], value=start, centres=False)
            pad = Field("pad_reward", component, widgets.sketch_from_text, widgets.sketch_to_text, costly=False)
            which = gr.Dropdown([*PRESETS, DRAWN], value=PRESETS[0], label="Reward")
            knobs = widgets.knobs(GridSettings)
            seed = widgets.seed_field()
            go = gr.Button("Train", size="sm", variant="primary")
            again = gr.Button("Train from other weights", size="sm")
        with gr.Column(scale=10, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(ID)
            chart = gr.HTML(elem_id="chart-gflownet")
        with gr.Column(scale=4, min_width=250):
            gr.Markdown(
                (ASSETS / "lessons" / "grid_gflownet.md").read_text(encoding="utf-8"), latex_delimiters=LATEX, elem_classes="dgm-card"
            )
    panel = Live(ID, [pad, seed, *knobs], grow, [result, chart], grows=True)
    chosen = which.input(refusing(_preset), which, component, api_visibility="private")
    component.change(_name_of, component, which, api_visibility="private", show_progress="hidden")
    react([go.click], panel, api_name=ID)
    react([chosen.success, other_seed(again, seed.component), seed.component.submit], panel)
    return panel


def _preset(name: Any) -> Any:
    return gr.skip() if name == DRAWN else widgets.to_sketch(preset(name)[None, None])


def _name_of(pad: Any) -> str:
    drawn = widgets.to_sketch(widgets.from_sketch(pad)[0])
    return next((name for name in PRESETS if widgets.to_sketch(preset(name)[None, None]) == drawn), DRAWN)
