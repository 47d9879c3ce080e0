"""The generative stochastic network: its samples, one denoiser run in three ways, and how its chain wanders from digit to digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.mixing import labels_along, sweeps_between_changes
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Frame, Noise, check_seed, knob
from dgm_models.families.gsn import ANNEALED, CHAIN, ONCE, GSNRestoring
from dgm_models.ui import widgets
from dgm_models.ui.charts import stairs
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row
from dgm_models.ui.serve import react
from dgm_models.ui.tabs.shared import Models, digit_pad, knob_panel, label_control, label_of, other_seed
from dgm_models.ui.widgets import Live

ID, TITLE, MODEL = "gsn", "Stochastic network", "gsn-mnist"
CHAINS = 8
SAID = {
    ONCE: "a denoising autoencoder, once: the mean of all that the noise could have been",
    CHAIN: "the same, over and over at one level of noise",
    ANNEALED: "the same, while the noise falls step by step",
}


@dataclass(frozen=True)
class WanderSettings(GSNRestoring):
    """Of a chain that is followed for long."""

    sweeps: int = knob(100, "Sweeps", 10, 300, step=10)


def three(seed: Any, settings: GSNRestoring, link: str) -> list[Any]:
    """Ten digits by each use of the one denoiser, from the same noise."""
    seed, rows, loaded = check_seed(seed), [], catalog.open_model(MODEL)
    for sampler, said in SAID.items():
        chosen = loaded.model.Settings(sampler=sampler, sweeps=settings.sweeps, level=settings.level, temperature=settings.temperature)
        with measured(loaded, MODEL, seed, 10) as receipt:
            frames = list(loaded.model.trace(Noise(seeds_from(seed, 10)), torch.arange(10), chosen))
        rows.append(Row(frames, 10, sampler, f"{said}; {receipt.cost}"))
    return [Film(rows, receipt=f"seed {seed} · {Models.provenance([MODEL])}", link=link, tall=330).value(f"gsn-three-{seed}")]


def wander(pad: Any, label: Any, seed: Any, settings: WanderSettings, link: str) -> list[Any]:
    """Chains that start at one digit, and the digit that is read in each after every sweep."""
    (x, _), y, seed = widgets.from_sketch(pad), label_of(label), check_seed(seed)
    loaded = catalog.open_model(MODEL)
    begin, labels = x.expand(CHAINS, -1, -1, -1), loaded.model.labels(torch.full((CHAINS,), y), CHAINS)
    with measured(loaded, MODEL, seed, CHAINS) as receipt:
        walk = [Frame(begin, "your digit"), *loaded.model.chain(begin, Noise(seeds_from(seed, CHAINS)), labels, settings)]
    seen = labels_along(walk)
    every = sweeps_between_changes(seen)
    said = f"another digit every {every:.0f} sweeps" if every < float("inf") else f"the same digit for all of {settings.sweeps} sweeps"
    film = Film([Row(walk, 4)], receipt=str(receipt), link=link, tall=230)
    return [stairs(seen.T.tolist(), "sweep", f"The digit that is read in each chain: {said}"), film.value(f"gsn-chain-{seed}")]


def build() -> Live:
    panel = family_panel(ID, MODEL, "gsn")
    gr.Markdown("### One denoiser, three samplers: run once, run as a chain, run while the noise falls. From autoencoder to diffusion")
    panel.parts["three"] = knob_panel("gsn-three", f"{ID}.three", GSNRestoring, "Other noise", three)
    panel.parts["chain"] = _chain()
    return panel


def _chain() -> Live:
    gr.Markdown("### A chain from your digit: with little noise it stays what it is, with much it wanders, and draws less sharply")
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("wandering", ["draw", "erase"], 18)
            label, seed = label_control(), widgets.seed_field()
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            knobs = widgets.knobs(WanderSettings)
            go = gr.Button("Other noise", size="sm", variant="primary")
        with gr.Column(scale=6, min_width=300, elem_classes="dgm-result"):
            result = widgets.player("gsn-chain")
            chart = gr.HTML(elem_id="chart-gsn-chain")

    def run(pad: Any, label: Any, seed: Any, *values: Any) -> list[Any]:
        settings = widgets.settings_from(WanderSettings, knobs, values)
        return wander(pad, label, seed, settings, part.link([pad, label, seed, *values]))

    part = Live(f"{ID}.chain", [pad, label, seed, *knobs], run, [chart, result])
    moved = [other_seed(go, seed.component), label.component.input, seed.component.submit, *changed, *widgets.moves(knobs)]
    react(moved, part)
    return part
