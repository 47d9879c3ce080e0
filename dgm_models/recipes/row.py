"""The row of a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ROLES = {
    "model": "a family of its own, which comparisons start with",
    "aside": "a further model of its family: offered, and not among those that a comparison starts with",
    "part": "serves one panel, and is not offered as a model of its own",
    "judge": "reads y off x: measures the others",
    "companion": "what models are compared with",
    "stage": "one of several that make an element together, and answers nothing by itself",
}


@dataclass(frozen=True)
class Recipe:
    """One trained model, `<model>-<data>`. `family` and `network` are dotted names, imported when the model is built; the space and the
    condition come from the data set, and so does what a network has to know of them.

    `split` is the part of the data that it learns from, "train" or "few". `large` holds what changes for a GPU (`./dgm train ID
    --large`). `teacher` is the id of a model that must be trained first.
    """

    id: str
    title: str
    family: str
    network: str | None = None
    network_config: dict[str, Any] = field(default_factory=dict)
    family_config: dict[str, Any] = field(default_factory=dict)
    data: str = "mnist"
    split: str = "train"
    steps: int = 0
    batch: int = 128
    rate: float = 1e-3
    ema: float = 0.999
    optimizer: str = "adamw"
    momentum: float = 0.9
    compiles: bool = True  # not where a loss differentiates twice
    teacher: str | None = None
    half: bool = True
    large: dict[str, Any] = field(default_factory=dict)
    role: str = "model"
    leads: bool = False  # among the few, as unlike each other as can be, that a comparison starts with
    about: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"{self.id}: expected a role of {', '.join(ROLES)}, got {self.role!r}")

    @property
    def generative(self) -> bool:
        return self.role in ("model", "aside", "part")
