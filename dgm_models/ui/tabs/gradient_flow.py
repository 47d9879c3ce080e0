"""Generative gradient flows: five methods move the same particles to the same data, on one clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from dgm_models import weights
from dgm_models.applications import few
from dgm_models.applications.particles import FlowSettings, race
from dgm_models.applications.receipt import spent
from dgm_models.contracts import Frame
from dgm_models.modalities.views import before
from dgm_models.probability import energy_distance
from dgm_models.ui import panel as p
from dgm_models.ui.charts import decay
from dgm_models.ui.family_tab import family_panel
from dgm_models.ui.film import MOST_FRAMES, Film, Row, resample, still
from dgm_models.ui.tabs.shared import Models
from dgm_models.ui.widgets import Live

SHOWN, PART = 20, 4  # particles that are shown, and frames between two that the page gets while they move
ID, TITLE, DIGITS = "gradient-flow", "Gradient flows", "gradient-flow-mnist"


def build() -> Live:
    panel = p.panel(
        ID,
        [
            p.column(3, p.knobs(FlowSettings), p.seed(), width=210),
            p.column(10, p.player(ID), p.chart(ID), width=300),
            p.column(4, p.Card("gradient_flow"), width=250),
        ],
        _raced,
        "Points",
    )
    if DIGITS in weights.manifest():
        words = "The same flow moves codes of an autoencoder from noise to where codes of digits lie."
        panel.parts["digits"] = family_panel(f"{ID}-digits", DIGITS, "sliced_flow", f"{ID}.digits", "Digits", words)
    if few.GAN in weights.manifest():
        panel.parts["few"] = p.panel(
            f"{ID}.few",
            [p.column(3, p.knobs(few.FewSettings), p.seed()), p.column(10, p.player(f"{ID}-few"), width=300), p.column(4, _figures())],
            _gathered,
            "Few data",
            "200 digits, and nothing else. Particles move to them; a GAN learned from the same 200.",
        )
    return panel


def _raced(seed: int, settings: FlowSettings) -> list[Any]:
    """All methods as tiles of one film, and the same divergence of each from the data as it falls."""
    data, runs = race(seed, settings)
    shown = resample(list(range(settings.steps + 1)), min(MOST_FRAMES, settings.steps + 1))
    frames = [Frame(torch.stack([run.path[step] for run in runs]), f"step {step} of {settings.steps}") for step in shown]
    took = " · ".join(f"{run.name} {spent(run.milliseconds)}".strip() for run in runs)
    row = Row(frames, len(runs), heads=tuple(run.name for run in runs), view=before(data))
    film = Film([row], f"{ID}-{seed}", f"{took} · nothing is trained beforehand · seed {seed}")
    fall = {run.name: [energy_distance(run.path[step], data) for step in shown] for run in runs}
    return [film, decay(fall, f"step, to {settings.steps}", "energy distance to the data")]


def _gathered(seed: int, settings: few.FewSettings) -> Iterator[list[Any]]:
    """Particles as they move to the 200 digits; at the end the digits that they are nearest to, and what the GAN of those draws."""
    frames: list[Frame] = []
    every = max(1, settings.steps // MOST_FRAMES)
    moved = few.Moved(seed, settings)
    for step, pictures in moved.film(SHOWN):
        if step % every == 0 or step == settings.steps:
            frames.append(Frame(pictures, f"step {step} of {settings.steps}"))
            if len(frames) % PART == 0:
                yield [Film([Row(frames, 10, "Particles")], receipt="moving", partial=True)]
    copies, far = few.nearest(frames[-1].x)
    drawn, receipt = few.drawn(SHOWN, seed)
    _, gan_far = few.nearest(drawn)
    took = ", ".join(filter(None, [f"{SHOWN} of {few.MOVED}", spent(moved.milliseconds)]))
    rows = [
        Row(frames, 10, "Particles", f"{took}; {far.median():.1f} from the nearest of the 200, half of them nearer"),
        Row(still(copies), 10, "Nearest of the 200", "what each particle is nearest to: a copy would look the same", kind="data"),
        Row(still(drawn), 10, "GAN of the same 200", f"{receipt.cost}; {gan_far.median():.1f} from the nearest"),
    ]
    yield [Film(rows, f"{ID}-few-{seed}", f"seed {seed} · {Models.provenance([few.GAN])}")]


def _figures() -> str:
    """HTML: what was measured of both."""
    scores = weights.manifest()[few.GAN].get("scores", {})
    if "few_gan" not in scores:
        return ""
    steps = sorted(int(name.rsplit("_", 1)[1]) for name in scores if name.startswith("few_particles_"))
    rows = [("GAN", "few_gan"), *((f"particles, {step:,} steps", f"few_particles_{step}") for step in steps)]
    rows += [("the 200 themselves", "few_digits"), ("other test digits", "few_test")]
    table = "".join("<tr><th>{}</th><td>{:.1f}</td><td>{:.1f}</td></tr>".format(name, *scores[key]) for name, key in rows)
    return (
        '<table class="dgm-figures"><tr><th>1,000 of each</th><td>Frechet distance</td><td>nearest of the 200</td></tr>'
        f"{table}</table><p>Distance from the test digits, and, in the median, from the nearest of the 200: what lies much nearer than a "
        "test digit does is on its way to a copy.</p>"
    )
