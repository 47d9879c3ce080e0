"""Faces as pixel art, and what a caption says of them: "a happy face with long red hair, glasses, a hat, in a green shirt on a pink
background". The drawings are DiceBear's, whose names of parts and colours are told in words here."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

HAIR = {
    "black": ("#28150a",),
    "brown": ("#603015", "#603a14", "#611c17", "#612616", "#83623b"),
    "blond": ("#a78961", "#cab188"),
    "red": ("#bd1700",),
    "blue": ("#009bbd",),
    "green": ("#91cb15",),
}
SHIRTS = {
    "red": ("#ae0001", "#d11141", "#ff6f69"),
    "green": ("#00b159", "#44c585", "#88d8b0"),
    "blue": ("#03396c", "#428bca", "#5bc0de"),
    "yellow": ("#ffc425", "#ffd969", "#ffeead"),
}
BACKGROUNDS = {
    "white": ("#ffffff",),
    "blue": ("#b6e3f4",),
    "purple": ("#c0aede", "#d1d4f9"),
    "pink": ("#ffd5dc",),
    "orange": ("#ffdfbf",),
}
ATTRIBUTES = {
    "mood": ("happy", "sad"),
    "hair": ("long", "short"),
    "hair colour": tuple(HAIR),
    "glasses": ("no glasses", "glasses", "sunglasses"),
    "hat": ("no hat", "a hat"),
    "beard": ("no beard", "a beard"),
    "shirt": tuple(SHIRTS),
    "background": tuple(BACKGROUNDS),
}
NAMES = tuple(ATTRIBUTES)


def told(parts: Mapping[str, str]) -> tuple[int, ...]:
    """The attributes of a face, (NAMES,), by what DiceBear calls its parts."""
    shade = lambda shades, part: next(i for i, each in enumerate(shades.values()) if parts[part] in each)  # noqa: E731
    glasses = {"none": 0, "ligh": 1, "dark": 2}
    return (
        int(parts["mouth"].startswith("sad")),
        int(parts["hair"].startswith("short")),
        shade(HAIR, "hairColor"),
        glasses[parts["glasses"][:4]],
        int(parts["hat"] != "none"),
        int(parts["beard"] != "none"),
        shade(SHIRTS, "clothingColor"),
        shade(BACKGROUNDS, "primaryBackgroundColor"),
    )


def caption(said: Mapping[str, str]) -> str:
    """What is said of a face, by its attributes; what is not said is not there."""
    hair = " ".join(filter(None, (said.get("hair"), said.get("hair colour"), "hair")))
    worn = [hair] if hair != "hair" else []
    worn += [said[name] for name in ("glasses", "hat", "beard") if name in said]
    parts = [f"a {said['mood']} face" if "mood" in said else "a face"]
    parts += [f"with {', '.join(worn)}"] if worn else []
    parts += [f"in a {said['shirt']} shirt"] if "shirt" in said else []
    parts += [f"on a {said['background']} background"] if "background" in said else []
    return " ".join(parts)


def enlarged(x: Tensor, side: int) -> Tensor:
    """Pictures (n, c, h, w) whose pixels are as many times as large as fit in so many: (n, c, side, side)."""
    times = side // x.shape[-1]
    return x.repeat_interleave(times, -2).repeat_interleave(times, -1)
