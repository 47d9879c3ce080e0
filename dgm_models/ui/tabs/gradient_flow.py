"""Generative gradient flows: five methods move the same particles to the same data, on one clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import torch

from dgm_models import catalog, weights
from dgm_models.applications import few
from dgm_models.applications.generate import seeds_from
from dgm_models.applications.particles import FlowSettings, picture, race
from dgm_models.applications.receipt import measured, spent
from dgm_models.contracts import Frame, Noise, check_seed
from dgm_models.probability import energy_distance
from dgm_models.turns import clock, paced
from dgm_models.ui import widgets
from dgm_models.ui.card import LATEX
from dgm_models.ui.charts import decay
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import MOST_FRAMES, Film, Row, resample, still
from dgm_models.ui.serve import react
from dgm_models.ui.tabs.shared import Models, knob_panel, other_seed
from dgm_models.ui.widgets import ASSETS, Live

MOVED, SHOWN, PART = 100, 20, 4  # particles, those that are shown, and frames between two that the page gets while they move
ID, TITLE, DIGITS = "gradient-flow", "Gradient flows", "gradient-flow-mnist"


def together(seed: Any, settings: FlowSettings, link: str) -> list[Any]:
    """All methods as tiles of one film, and the same divergence of each from the data as it falls."""
    data, runs = race(check_seed(seed), settings)
    shown = resample(list(range(settings.steps + 1)), min(MOST_FRAMES, settings.steps + 1))
    frames = [Frame(torch.cat([picture(run.path[step], data) for run in runs]), f"step {step} of {settings.steps}") for step in shown]
    took = " · ".join(f"{run.name} {spent(run.milliseconds)}".strip() for run in runs)
    row = Row(frames, len(runs), heads=tuple(run.name for run in runs))
    film = Film([row], receipt=f"{took} · nothing is trained beforehand · seed {seed}", link=link, tall=260)
    fall = {run.name: [energy_distance(run.path[step], data) for step in shown] for run in runs}
    return [film.value(f"{ID}-{seed}"), decay(fall, f"step, to {settings.steps}", "energy distance to the data")]


def build() -> Live:
    panel = _plane()
    if DIGITS in weights.manifest():
        gr.Markdown("### Digits: the same flow moves codes of an autoencoder from noise to where codes of digits lie")
        panel.parts["digits"] = family_panel(f"{ID}-digits", DIGITS, "sliced_flow", address=f"{ID}.digits")
    if few.GAN in weights.manifest():
        gr.Markdown("### Few data: 200 digits, and nothing else. Particles move to them; a GAN learned from the same 200")
        panel.parts["few"] = knob_panel(f"{ID}-few", f"{ID}.few", few.FewSettings, "Move other particles", gathered)
        gr.Markdown(_figures(), elem_classes="dgm-card")
    return panel


def gathered(seed: Any, settings: few.FewSettings, link: str) -> Iterator[list[Any]]:
    """Particles as they move to the 200 digits; at the end the digits that they are nearest to, and what the GAN of those draws."""
    seed = check_seed(seed)
    about, frames = few.components(), []
    began, every = clock(), max(1, settings.steps // MOST_FRAMES)
    for step, z in enumerate(paced(few.move(MOVED, seed, settings))):
        if step % every == 0 or step == settings.steps:
            frames.append(Frame(about.picture(z[:SHOWN]), f"step {step} of {settings.steps}"))
            if len(frames) % PART == 0:
                yield [widgets.growing(Film([Row(frames, 10, "Particles")], receipt="moving", link=link, tall=350))]
    took = 1000 * (clock() - began)
    copies, far = few.nearest(frames[-1].x)
    loaded = catalog.open_model(few.GAN)
    with measured(loaded, few.GAN, seed, SHOWN) as receipt:
        drawn = loaded.model.sample(Noise(seeds_from(seed, SHOWN)), torch.arange(SHOWN) % 10)
    _, gan_far = few.nearest(drawn)
    rows = [
        Row(
            frames,
            10,
            "Particles",
            ", ".join(filter(None, [f"{SHOWN} of {MOVED}", spent(took)]))
            + f"; {far.median():.1f} from the nearest of the 200, half of them nearer",
        ),
        Row(still(copies), 10, "Nearest of the 200", "what each particle is nearest to: a copy would look the same", kind="data"),
        Row(still(drawn), 10, "GAN of the same 200", f"{receipt.cost}; {gan_far.median():.1f} from the nearest"),
    ]
    film = Film(rows, receipt=f"seed {seed} · {Models.provenance([few.GAN])}", link=link, tall=350)
    yield [film.value(f"{ID}-few-{seed}")]


def _figures() -> str:
    """What was measured of both, as a table."""
    scores = weights.manifest()[few.GAN].get("scores", {})
    if "few_gan" not in scores:
        return ""
    steps = sorted(int(name.rsplit("_", 1)[1]) for name in scores if name.startswith("few_particles_"))
    rows = [("GAN", "few_gan"), *((f"particles, {step:,} steps", f"few_particles_{step}") for step in steps)]
    rows += [("the 200 themselves", "few_digits"), ("other test digits", "few_test")]
    table = "\n".join("| {} | {:.1f} | {:.1f} |".format(name, *scores[key]) for name, key in rows)
    return (
        f"| 1,000 of each | Frechet distance | nearest of the 200 |\n|---|---|---|\n{table}\n\nDistance from the test digits, and, in the "
        "median, from the nearest of the 200: what lies much nearer than a test digit does is on its way to a copy."
    )


def _plane() -> Live:
    with gr.Row(elem_classes="dgm-columns"):
        with gr.Column(scale=3, min_width=210, elem_classes="dgm-side"):
            knobs = widgets.knobs(FlowSettings)
            seed = widgets.seed_field()
            go = gr.Button("Other particles", size="sm", variant="primary")
        with gr.Column(scale=10, min_width=300, elem_classes="dgm-result"):
            result = widgets.player(ID)
            chart = gr.HTML(elem_id="chart-gradient-flow")
        with gr.Column(scale=4, min_width=250):
            gr.Markdown(
                (ASSETS / "lessons" / "gradient_flow.md").read_text(encoding="utf-8"), latex_delimiters=LATEX, elem_classes="dgm-card"
            )

    def run(seed: Any, *values: Any) -> list[Any]:
        return together(seed, widgets.settings_from(FlowSettings, knobs, values), panel.link([seed, *values]))

    panel = Live(ID, [seed, *knobs], run, [result, chart])
    moved = [other_seed(go, seed.component), seed.component.submit, *widgets.moves(knobs)]
    react(moved, panel)
    return panel
