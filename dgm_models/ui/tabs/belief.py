"""The deep belief network: its samples, ten chains that dream layer by layer, what it recognises in a digit, how it was learned greedily;
and the RBM below it."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import catalog, weights
from dgm_models.applications import growth
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Frame, Noise, check_seed
from dgm_models.ui import widgets
from dgm_models.ui.charts import bars
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import react, refusing, whole
from dgm_models.ui.tabs.shared import Models, digit_pad, knob_panel, other_seed
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL, RBM = "belief", "Belief network", "dbn-mnist", "rbm-mnist"
SWEEPS, LAST, DREAMS = 40, 960, 4  # a film; the most sweeps before one; chains from your digit


def units(states: Tensor) -> Tensor:
    """A layer of units as a picture, (n, units) -> (n, 1, h, w), near a square."""
    high = next(side for side in range(int(states.shape[1] ** 0.5), 0, -1) if states.shape[1] % side == 0)
    return states.view(len(states), 1, high, -1)


def ten(seed: Any, after: Any, link: str) -> list[Any]:
    """Ten chains, each with its label held, from units by chance: pictures, features and what is above them, sweep by sweep."""
    seed, after = check_seed(seed), whole(after, "Sweeps before", 0, LAST)
    loaded = catalog.open_model(MODEL)
    network = loaded.model.network
    settings = loaded.model.Settings(sweeps=after + SWEEPS, annealed=0.0)
    films: list[list[Frame]] = [[], [], []]
    with measured(loaded, MODEL, seed, 10) as receipt:
        for step, moment in enumerate(loaded.model.dream(Noise(seeds_from(seed, 10)), torch.arange(10), settings)):
            if step > after:
                features, above, _ = moment.states
                shown = (loaded.model.bits.back(network.pictures(features)), units(features), units(above))
                for film, x in zip(films, shown, strict=True):
                    film.append(Frame(x, f"sweep {step}"))
    said = ("what the features draw", f"{network.above.sizes[0]} units, on or off", f"{network.above.sizes[1]} units, on or off")
    titles = ("Pictures", "Features", "Above them")
    rows = [Row(frames, 10, title, caption) for frames, title, caption in zip(films, titles, said, strict=True)]
    return [Film(rows, receipt=str(receipt), link=link, tall=330).value(f"belief-chains-{seed}-{after}")]


def recognise(pad: Any, seed: Any, link: str) -> list[Any]:
    """Which label the network recognises, what its features keep of the digit, and where chains that start there wander to."""
    (x, _), seed = widgets.from_sketch(pad), check_seed(seed)
    loaded = catalog.open_model(MODEL)
    model = loaded.model
    with measured(loaded, MODEL, seed, DREAMS) as receipt:
        share = model.recognise(x)[0]
        seen, dreams = model.bits.of(x), []
        drawn = model.bits.back(model.network.pictures(model.network.features(seen)))
        settings = model.Settings(sweeps=SWEEPS, annealed=0.0)
        for step, moment in enumerate(model.dream(Noise(seeds_from(seed, DREAMS)), None, settings, begin=x)):
            labels = " ".join(str(int(label)) for label in moment.states[-1].argmax(1))
            pictures = model.bits.back(model.network.pictures(moment.states[0]))
            dreams.append(Frame(pictures, f"sweep {step}, labels {labels}" if step else "as recognised"))
    kept = Row(still(torch.cat([x, model.bits.back(seen), drawn])), 3, "Your digit", heads=("yours", "as it is seen", "its features draw"))
    row = Row(dreams, DREAMS, "Dreams from there", "no label is held")
    film = Film([kept, row], receipt=f"{receipt.cost} · {Models.provenance([MODEL])}", link=link, tall=250)
    chart = bars(
        [100 * float(each) for each in share], list("0123456789"), "label y", f"p(y | features): a {int(share.argmax())}, in percent"
    )
    return [chart, film.value(f"belief-digit-{seed}")]


def replayed(seed: Any, settings: growth.GrowthSettings, link: str) -> list[Any]:
    """Six moments of the greedy training: what features look for, and ten draws."""
    made = growth.replay(seed, settings)
    rows = [
        Row(made.filters, growth.FILTERS // 2, "Features", "bright: ink wanted; dark: none"),
        Row(made.draws, 10, "Draws", f"{settings.sweeps} sweeps each, from one noise"),
    ]
    return [Film(rows, receipt=str(made.receipt), link=link, tall=330).value(f"belief-growth-{seed}")]


def build() -> Live:
    panel = family_panel(ID, MODEL, "belief")
    panel.parts["chains"] = _chains()
    panel.parts["digit"] = _digit()
    if growth.MODEL in weights.manifest():
        gr.Markdown(
            "### Greedy, layer by layer: six moments of its training. Features find strokes first; then they hold still while the machine "
            "above learns, with the labels; only then do all weights move"
        )
        panel.parts["growth"] = knob_panel(f"{ID}-growth", f"{ID}.growth", growth.GrowthSettings, "Other draws", replayed)
    gr.Markdown("### Below it, and before it: one layer of hidden units, and the label beside the pixels")
    panel.parts["rbm"] = family_panel(f"{ID}-rbm", RBM, "rbm", address=f"{ID}.rbm")
    return panel


def _chains() -> Live:
    gr.Markdown("### Ten chains side by side: each has its label held and begins with units by chance. Go on, and see what stays")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=2, min_width=230, elem_classes="dgm-side"):
            after = gr.Slider(0, LAST, value=0, step=SWEEPS, label="Sweeps before")
            onward = gr.Button(f"Go on, {SWEEPS} sweeps", size="sm", variant="primary")
            seed = widgets.seed_field()
            go = gr.Button("Other chains", size="sm")
            gr.Markdown(
                "A chain moves slowly between shapes: after hundreds of sweeps many still show the digit that they found first. "
                "Samples above fade the energy in, which mixes better.",
                elem_classes="dgm-hint",
            )
        with gr.Column(scale=8, min_width=300, elem_classes="dgm-result"):
            result = widgets.player("belief-chains")

    def run(seed: Any, after: Any) -> list[Any]:
        return ten(seed, after, part.link([seed, after]))

    part = Live(f"{ID}.chains", [seed, Field("after", after, widgets.whole_from_text)], run, [result])
    further = onward.click(refusing(_further), after, after, api_visibility="private", show_progress="hidden").success
    react([further, after.release, seed.component.submit, other_seed(go, seed.component)], part)
    return part


def _further(after: Any) -> int:
    so_far = whole(after, "Sweeps before", 0, LAST)
    if so_far + SWEEPS > LAST:
        raise ValueError(f"The chains have gone {LAST + SWEEPS} sweeps, which is as far as this page follows them. Take other chains.")
    return so_far + SWEEPS


def _digit() -> Live:
    gr.Markdown("### Recognise and dream: upward to the features and the label, then chains from there with nothing held")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("believed", ["draw", "erase"], 18)
            seed = widgets.seed_field()
            go = gr.Button("Other dreams", size="sm")
        with gr.Column(scale=9, min_width=300, elem_classes="dgm-result"):
            result = widgets.player("belief-digit")
            reading = gr.HTML(elem_id="chart-belief-reading")

    def run(pad: Any, seed: Any) -> list[Any]:
        return recognise(pad, seed, part.link([pad, seed]))

    part = Live(f"{ID}.digit", [pad, seed], run, [reading, result])
    react([*changed, seed.component.submit, other_seed(go, seed.component)], part)
    return part
