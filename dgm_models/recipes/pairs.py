"""The models that translate between two kinds of pictures, and who judges them."""

from __future__ import annotations

from dgm_models.recipes.row import Recipe

EMOJI = {
    "data": "emoji",
    "family": "dgm_models.families.cycle:Cycle",
    "network": "dgm_models.networks.ways:TwoWays",
    "network_config": {"width": 40, "fine": 2, "coarse": 3, "critic_width": 40},
    "steps": 1800,
    "batch": 32,
    "rate": 4e-4,
    "momentum": 0.0,
    "ema": 0.998,
    "compiles": False,
    "large": {"steps": 20000, "batch": 64, "ema": 0.9995},
}
GAME = {"same": 1.0, "grain": 0.1, "moves": 4, "gamma": 0.3}

RECIPES = (
    Recipe(
        "cycle-emoji",
        "CycleGAN, emoji",
        **EMOJI,
        family_config={"back": 3.0, **GAME},
        role="companion",
        about="two ways between two styles of drawing, without pairs (Zhu et al., 2017)",
    ),
    Recipe(
        "cycle-little-emoji",
        "CycleGAN, emoji, little cycle",
        **EMOJI,
        family_config={"back": 0.15, **GAME},
        role="companion",
        about="the same, with a twentieth of the weight of the way there and back",
    ),
    Recipe(
        "cycle-none-emoji",
        "CycleGAN, emoji, no cycle",
        **EMOJI,
        family_config={"back": 0.0, **GAME},
        role="companion",
        about="the same without: nothing holds a translation to what it was made of",
    ),
    Recipe(
        "reader-emoji",
        "Judge of style",
        data="emoji",
        family="dgm_models.families.reader:Reader",
        family_config={"width": 32, "jitter": 0.0, "mirrored": True},
        steps=2000,
        batch=64,
        rate=2e-3,
        compiles=False,
        role="judge",
        about="tells the two styles apart: measures translations",
    ),
    Recipe(
        "cycle-hands",
        "CycleGAN, digits",
        data="hands",
        family="dgm_models.families.cycle:Cycle",
        family_config={"back": 2.0, "same": 0.2, "gamma": 0.02},
        network="dgm_models.networks.ways:TwoWays",
        network_config={"width": 48, "fine": 2, "coarse": 3, "critic_width": 48},
        steps=3000,
        batch=32,
        rate=5e-4,
        momentum=0.0,
        ema=0.998,
        compiles=False,
        large={"steps": 20000, "batch": 128, "ema": 0.9995},
        role="companion",
        about="two ways between digits off envelopes and those of MNIST, without pairs",
    ),
    Recipe(
        "reader-usps",
        "Reader of envelopes",
        data="usps",
        family="dgm_models.families.reader:Reader",
        family_config={"width": 48},
        steps=1500,
        batch=64,
        rate=2e-3,
        compiles=False,
        role="judge",
        about="digit classifier p(y | x) of USPS: measures what translations keep",
    ),
)
