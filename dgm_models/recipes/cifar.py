"""The models of CIFAR-10, in colour."""

from __future__ import annotations

from dgm_models.recipes.row import Recipe

RECIPES = (
    Recipe(
        "reader-cifar",
        "Reader of pictures",
        family="dgm_models.families.reader:Reader",
        family_config={"width": 96, "jitter": 0.6, "mirrored": True},
        data="cifar",
        steps=6000,
        rate=2e-3,
        compiles=False,
        large={"steps": 5000, "batch": 256},
        role="judge",
        about="picture classifier p(y | x): measures the others",
    ),
)
