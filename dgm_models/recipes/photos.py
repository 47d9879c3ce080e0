"""The models of photographs."""

from __future__ import annotations

from dgm_models.recipes.row import Recipe

RECIPES = (
    Recipe(
        "faithful-photos",
        "Faithful enlarger",
        data="photos",
        family="dgm_models.families.enlarger:Faithful",
        network="dgm_models.networks.enlarger:Enlarger",
        network_config={"width": 48, "depth": 8},
        steps=6000,
        batch=32,
        rate=1e-3,
        optimizer="muon",
        compiles=False,
        large={"steps": 30000, "batch": 64},
        role="companion",
        about="mean absolute error, 2× and 4× in one network: enlarging residuals at the small size (Lim et al., 2017)",
    ),
    Recipe(
        "sharp-photos",
        "Sharp enlarger",
        data="photos",
        family="dgm_models.families.enlarger:Sharp",
        network="dgm_models.networks.enlarger:Sharpening",
        network_config={"width": 48, "depth": 8, "critic_width": 48},
        steps=1500,
        batch=32,
        rate=2e-4,
        momentum=0.0,
        ema=0.998,
        compiles=False,
        large={"steps": 10000, "batch": 64},
        teacher="faithful-photos",
        role="companion",
        about="begins as the faithful one and is taught on by a critic of patches (Ledig et al., 2017: SRGAN)",
    ),
)
