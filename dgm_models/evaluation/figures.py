"""Every figure that models are measured by, once: its name, its unit, which way is better, how it was measured. The card, the board, the
README and the Hub's cards all read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

SUBJECTS = ("samples", "likelihood", "restoring", "cost")
SIGN = {"lower bound": "≤ ", "estimate": "≈ "}  # a lower bound of log p bounds bits and nats from above


@dataclass(frozen=True)
class Figure:
    """`key`: in the manifest's scores. `good`: "higher", "lower", or the value that a perfect model would have. `log`: an axis of it is
    logarithmic. `known`: the only data set of which a perfect value is known. `evidence` and `count`: the keys that say what kind of
    bound it is, and of how many elements it was measured. `on`: where it is shown besides the board. `about`: of SUBJECTS."""

    key: str
    name: str
    form: str
    good: str | float
    protocol: str
    log: bool = False
    known: str = ""
    evidence: str = ""
    count: str = ""
    on: tuple[str, ...] = ("card", "table")
    about: str = "samples"

    def of(self, data: str) -> Figure:
        """The figure for a data set: more is better where nobody knows what a perfect model would have."""
        return replace(self, good="higher") if self.known and self.known != data else self

    @property
    def hint(self) -> str:
        return f"{self.good} is better" if isinstance(self.good, str) else f"{self.form.format(self.good)} is perfect"

    def best(self, values: list[float]) -> float:
        if isinstance(self.good, str):
            return max(values) if self.good == "higher" else min(values)
        return min(values, key=lambda value: abs(value - self.good))

    def show(self, scores: Mapping[str, Any]) -> str | None:
        """The figure in words; None where it was not measured."""
        if scores.get(self.key) is None:
            return None
        sign = SIGN.get(scores.get(self.evidence, ""), "")
        measured = f" on {scores[self.count]:,}" if scores.get(self.count) else ""
        return f"{sign}{self.form.format(scores[self.key])}{measured}"


FIGURES = (
    Figure("read_as_asked", "read as asked", "{:.1%}", "higher", "share of draws of p(x | y) that the judge reads as y"),
    Figure("read_as_asked_guided", "read as asked, guided or cooled", "{:.1%}", "higher", "the same with the app's own settings"),
    Figure(
        "frechet_ratio",
        "Frechet distance, real ones = 1",
        "{:.2f}",
        "lower",
        "in the judge's features, from the test part; over what as many training elements have",
        log=True,
    ),
    Figure("frechet_ratio_guided", "Frechet distance, guided or cooled", "{:.2f}", "lower", "the same with those settings", log=True),
    Figure(
        "texture_ratio",
        "distance that sees grain, real ones = 1",
        "{:.1f}",
        "lower",
        "in wavelet energies, from the test part; over what as many training elements have",
        log=True,
    ),
    Figure("precision", "precision", "{:.2f}", "higher", "share of draws among the real ones, in the judge's features"),
    Figure("recall", "recall", "{:.2f}", "higher", "share of real ones among the draws"),
    Figure(
        "train_on_synthetic",
        "trained on synthetic",
        "{:.1%}",
        "higher",
        "of a judge that learned from draws, accuracy on real ones",
        on=("table",),
    ),
    Figure(
        "bits_per_dimension",
        "bits a dimension",
        "{:.2f}",
        "lower",
        "-log2 p of held-out elements given their label, a dimension",
        evidence="evidence",
        count="likelihood_digits",
        about="likelihood",
    ),
    Figure("nats_token", "nats a token", "{:.3f}", "lower", "-log p of held-out windows, a token or a letter", about="likelihood"),
    Figure("bits_byte", "bits a byte", "{:.3f}", "lower", "-log2 p of held-out windows, a byte of their text", about="likelihood"),
    Figure("nats_letter", "nats a letter of SMILES", "{:.3f}", "lower", "-log p of held-out strings, a letter", about="likelihood"),
    Figure("valid", "valid", "{:.1%}", "higher", "of draws at temperature 1, share that RDKit reads as molecules", count="molecules_drawn"),
    Figure("unique", "valid and unique", "{:.1%}", "higher", "share that are different molecules", count="molecules_drawn"),
    Figure(
        "new", "and new", "{:.1%}", "higher", "share that are different molecules and none of those learned from", count="molecules_drawn"
    ),
    Figure(
        "recovered",
        "comes back from its code",
        "{:.1%}",
        "higher",
        "of held-out molecules that were encoded, share that decode to the same",
        count="recovered_molecules",
    ),
    Figure(
        "balance",
        "in proportion to the reward",
        "{:.2f}",
        "higher",
        "correlation of log p and log reward over all molecules of up to four heavy atoms, a mean over wishes",
        count="balance_molecules",
    ),
    Figure("asked_logp", "logP as asked", "{:.2f}", "higher", "correlation of asked and measured, wishes of held-out molecules"),
    Figure("asked_polar_surface", "polar surface as asked", "{:.2f}", "higher", "the same of the topological polar surface"),
    Figure("asked_heavy_atoms", "size as asked", "{:.2f}", "higher", "the same of the number of heavy atoms"),
    Figure("asked_slant", "slant as asked", "{:.2f}", "higher", "correlation of asked and measured within a label, numbers of any label"),
    Figure("asked_thickness", "thickness as asked", "{:.2f}", "higher", "the same of the thickness of strokes"),
    Figure("asked_width", "width as asked", "{:.2f}", "higher", "the same of the width of the leaning frame"),
    Figure(
        "reader_of_answers",
        "coloured, read as they are",
        "{:.1%}",
        "higher",
        "share of test pictures that the judge reads aright in colours drawn with the app's own settings",
        count="coloured_pictures",
        about="restoring",
    ),
    Figure(
        "saturation_ratio", "saturation, real ones = 1", "{:.2f}", 1.0, "of drawn colours, over that of the real ones", about="restoring"
    ),
    Figure(
        "best_of_8_gain",
        "dB of the best of eight over least error",
        "{:.1f}",
        "higher",
        "PSNR of the colour without the grey",
        count="best_of_8_pictures",
        about="restoring",
    ),
    Figure("set5_x4_psnr", "Set5 4×, dB", "{:.2f}", "higher", "PSNR of luminance, borders of 4 left out; bicubic 28.4", about="restoring"),
    Figure("set5_x2_psnr", "Set5 2×, dB", "{:.2f}", "higher", "the same, borders of 2 left out; bicubic 33.7", about="restoring"),
    Figure("seam", "seam of a filled hole", "{:.2f}", 1.0, "how neighbours differ across its border, over within it", about="restoring"),
    Figure(
        "set5_x4_features",
        "Set5 4×, distance of features",
        "{:.3f}",
        "lower",
        "of tiles, in the reader of CIFAR-10, over their length",
        about="restoring",
    ),
    Figure(
        "told_right",
        "attributes as told",
        "{:.1%}",
        "higher",
        "a mean over attributes, of pictures for captions in combinations that no stage learned",
        count="told_captions",
        about="restoring",
    ),
    Figure("told_worst", "worst attribute", "{:.1%}", "higher", "the same of the one that is wrong most often", about="restoring"),
    Figure(
        "told_all", "all attributes at once", "{:.1%}", "higher", "of the same pictures, of eight or nine attributes", about="restoring"
    ),
    Figure(
        "right_caption_of_100",
        "nearest of 100 captions is right",
        "{:.1%}",
        "higher",
        "of an embedding, drawn or of a real picture, in combinations that no stage learned from",
        about="restoring",
    ),
    Figure(
        "partner_there",
        "nearest emoji is the true partner",
        "{:.1%}",
        "higher",
        "of held-out emoji translated from Noto to Twemoji, pixel by pixel; 1 of 239 by chance",
        count="translated_pairs",
        about="restoring",
    ),
    Figure("partner_there_untranslated", "the same, untranslated", "{:.1%}", "higher", "of the emoji as they were", about="restoring"),
    Figure("style_there", "taken for the other style", "{:.0%}", "higher", "of the same, by a judge of style", about="restoring"),
    Figure("partner_back", "the other way: true partner", "{:.1%}", "higher", "of held-out emoji from Twemoji to Noto", about="restoring"),
    Figure("partner_back_untranslated", "untranslated", "{:.1%}", "higher", "of the emoji as they were", about="restoring"),
    Figure("style_back", "the other way: taken for the style", "{:.0%}", "higher", "of the same, by a judge of style", about="restoring"),
    Figure(
        "label_kept",
        "label kept",
        "{:.1%}",
        "higher",
        "of MNIST's digits as USPS's, read by a classifier of USPS",
        count="hands",
        about="restoring",
    ),
    Figure(
        "told_from_real", "told from real ones", "{:.0%}", 0.5, "of the same, by a classifier taught to; half is chance", about="restoring"
    ),
    Figure(
        "words_there",
        "words that must come, there",
        "{:.0%}",
        "higher",
        "of 200 texts with one to three words, as whole words",
        count="words_asked",
        about="restoring",
    ),
    Figure(
        "nats",
        "nats, in black and white",
        "{:.1f}",
        "lower",
        "-log p of static binarized test digits",
        evidence="nats_evidence",
        count="nats_digits",
        about="likelihood",
    ),
    Figure(
        "recognised",
        "recognises",
        "{:.1%}",
        "higher",
        "share of test elements whose label the model itself recognises",
        on=("card",),
        about="likelihood",
    ),
    Figure(
        "inpainting_read_as_original",
        "inpainted, read as the original",
        "{:.0%}",
        0.81,
        "the centre hidden, no label; 0.81 is what a perfect posterior of digits would have",
        known="mnist",
        count="inpainting_digits",
        about="restoring",
    ),
    Figure(
        "super_resolution_read_as_original",
        "enlarged 4×, read as the original",
        "{:.0%}",
        0.96,
        "shrunk 4 times, no label; 0.96 is what a perfect posterior of digits would have",
        known="mnist",
        count="super_resolution_digits",
        on=("table",),
        about="restoring",
    ),
    Figure(
        "sweeps_until_another_digit",
        "sweeps until a chain shows another digit",
        "{:.0f}",
        "lower",
        "100 chains, no label",
        log=True,
        on=("card",),
        about="cost",
    ),
    Figure(
        "nearest_ratio",
        "distance to the nearest training digit",
        "{:.2f}",
        1.0,
        "over that of a test element; far below 1 is a copy",
        on=(),
    ),
    Figure("accuracy", "accuracy", "{:.2%}", "higher", "of the judge itself, on the test part", on=()),
    Figure("milliseconds_16", "milliseconds for 16 digits", "{:.0f}", "lower", "default settings, two cores", log=True, about="cost"),
    Figure("parameters", "million parameters", "{:.2f}", "lower", "of all of its networks", log=True, on=(), about="cost"),
)
BY_KEY = {figure.key: figure for figure in FIGURES}
