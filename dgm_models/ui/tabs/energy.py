"""The energy-based model: its samples, Langevin chains in its energy, and what it says of a digit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from dgm_models import catalog
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.receipt import measured
from dgm_models.contracts import Frame, Noise, Settings, check_seed, knob
from dgm_models.data import mnist
from dgm_models.ui import widgets
from dgm_models.ui.charts import Group, bars, histograms, lines
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import Film, Row, still
from dgm_models.ui.serve import one_of, react
from dgm_models.ui.tabs.shared import Models, digit_pad, label_control, label_of, other_seed
from dgm_models.ui.widgets import Field, Live

ID, TITLE, MODEL = "energy", "Energy-based", "energy-mnist"
CHAINS, COMPARED, QUICK = 6, 60, 20
STARTS = ("noise", "your digit", "your digit and noise")


@dataclass(frozen=True)
class ChainSettings(Settings):
    """Of Langevin dynamics in the energy."""

    steps: int = knob(100, "Steps", 10, 400, step=10)
    step_size: float = knob(0.5, "Step size", 0.05, 5.0, step=0.05)
    temperature: float = knob(1.0, "Noise", 0.0, 1.5, step=0.05)


def wander(pad: Any, start: Any, label: Any, seed: Any, settings: ChainSettings, link: str) -> list[Any]:
    """Chains from one start with noise of their own, and the energy along each."""
    (x, _), y, seed = widgets.from_sketch(pad), label_of(label), check_seed(seed)
    loaded, noise = catalog.open_model(MODEL), Noise(seeds_from(seed, CHAINS))
    fresh = noise.normal(*x.shape[1:])
    begin = {
        "noise": (0.5 + 0.5 * fresh).clamp(0, 1),
        "your digit": x.expand(CHAINS, -1, -1, -1),
        "your digit and noise": (x + 0.3 * fresh).clamp(0, 1),
    }[one_of(start, "Start", STARTS)]
    labels = torch.full((CHAINS,), y)
    with measured(loaded, MODEL, seed, CHAINS) as receipt:
        walk = list(loaded.model.chain(begin, labels, noise, settings.steps, settings.step_size, settings.temperature))
    frames = [
        Frame(at, f"step {step} of {settings.steps}   energy of the first {float(energy[0]):,.0f}")
        for step, (at, energy) in enumerate(walk)
    ]
    film = Film([Row(frames, 3)], receipt=str(receipt), link=link, tall=230)
    energies = torch.stack([energy for _, energy in walk])
    chart = lines(energies.T.tolist(), "step of the chain", "energy of each chain")
    return [chart, film.value(f"energy-chain-{seed}")]


@lru_cache(maxsize=11)
def known_energies(label: int) -> tuple[Tensor, Tensor]:
    """Of test digits and of samples, each under its label (with -1: without)."""
    model, (x, y) = catalog.load(MODEL), mnist.test()
    real = mnist.pixels((x if label < 0 else x[y == label])[:COMPARED])
    labels = torch.full((COMPARED,), label)
    return model.energy(real, labels[: len(real)]), model.energy(
        model.sample(Noise(range(COMPARED)), labels, model.Settings(steps=QUICK)), labels
    )


def weigh(pad: Any, label: Any, link: str) -> list[Any]:
    """The energy of a digit among those of data and of samples, where its slope leads, and Bayes' reading of it."""
    (x, _), label = widgets.from_sketch(pad), label_of(label)
    loaded, y = catalog.open_model(MODEL), torch.tensor([label])
    model = loaded.model
    with measured(loaded, MODEL, 0, 1) as receipt:
        signal, labels = model.space.to_signal(x), model.labels(y, 1)
        slope, _ = model.slope(signal, labels)
        led = model.space.clamp(model.space.from_signal(signal - slope))
        energy = float(model.energy(x, y))
        reading = model.log_prob(x.expand(10, -1, -1, -1), torch.arange(10)).softmax(0)
    real, made = known_energies(label)
    pull = (slope.abs() / slope.abs().max().clamp_min(1e-6)).sqrt()
    row = Row(still(torch.cat([x, pull, led])), 3, heads=("your digit", "how hard E pulls", "where it leads"))
    film = Film([row], receipt=f"energy {energy:,.1f} · {receipt.cost} · {Models.provenance([MODEL])}", link=link, tall=150)
    groups = [Group("test digits", real, "data"), Group("samples", made, "model")]
    phases = histograms(groups, [("your digit", energy)], "energy")
    said = f"p(y | x) by Bayes' rule: a {int(reading.argmax())}, in percent"
    return [
        phases,
        bars([100 * float(share) for share in reading], list("0123456789"), "label y", said),
        film.value("energy-digit"),
    ]


def build() -> Live:
    panel = family_panel(ID, MODEL, "energy")
    panel.parts["chain"] = _chain()
    panel.parts["digit"] = _digit()
    return panel


def _chain() -> Live:
    gr.Markdown(
        "### Langevin chains: downhill in the energy, with noise. A step of 2 reaches the bottom of a valley; one of more than 4 leaves it"
    )
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("chained", ["draw", "erase"], 18)
            start = gr.Dropdown(list(STARTS), value=STARTS[2], label="Start")
            label, seed = label_control(), widgets.seed_field()
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            knobs = widgets.knobs(ChainSettings)
            go = gr.Button("Other noise", size="sm", variant="primary")
        with gr.Column(scale=6, min_width=300, elem_classes="dgm-result"):
            result = widgets.player("energy-chain")
            chart = gr.HTML(elem_id="chart-energy-chain")

    def run(pad: Any, start: Any, label: Any, seed: Any, *values: Any) -> list[Any]:
        settings = widgets.settings_from(ChainSettings, knobs, values)
        return wander(pad, start, label, seed, settings, part.link([pad, start, label, seed, *values]))

    part = Live(f"{ID}.chain", [pad, Field("start", start), label, seed, *knobs], run, [chart, result])
    moved = [
        other_seed(go, seed.component),
        start.input,
        label.component.input,
        seed.component.submit,
        *changed,
        *widgets.moves(knobs),
    ]
    react(moved, part)
    return part


def _digit() -> Live:
    gr.Markdown(
        "### Two phases: the slope of log p in the parameters lowers the energy of data and lifts that of samples, until both agree"
    )
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=230, elem_classes="dgm-side"):
            pad, changed = digit_pad("weighed", ["draw", "erase"], 61)
            label = label_control()
        with gr.Column(scale=4, min_width=280):
            phases = gr.HTML(elem_id="chart-energy-phases")
            gr.Markdown(
                "This model learned by score matching, which needs no samples; where the two histograms differ, likelihood would "
                "still have something to teach it. A classifier, too: of one picture, the energies under ten labels may be "
                "compared, for the last third of the training taught them to tell labels apart.",
                elem_classes="dgm-hint",
            )
        with gr.Column(scale=5, min_width=280, elem_classes="dgm-result"):
            result = widgets.player("energy-digit")
            reading = gr.HTML(elem_id="chart-energy-reading")

    def run(pad: Any, label: Any) -> list[Any]:
        return weigh(pad, label, part.link([pad, label]))

    part = Live(f"{ID}.digit", [pad, label], run, [phases, reading, result])
    react([label.component.input, *changed], part)
    return part
