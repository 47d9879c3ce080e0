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
    Recipe(
        "colour-cifar",
        "Diffusion, from grey",
        data="cifar-colour",
        family="dgm_models.families.diffusion:Diffusion",
        family_config={"drop": 0.15},
        network="dgm_models.networks.velocity:VelocityUNet",
        network_config={"width": 80, "fine": 2, "coarse": 3},
        steps=5000,
        rate=1e-3,
        ema=0.999,
        optimizer="muon",
        large={"steps": 20000, "batch": 256, "ema": 0.9995},
        role="aside",
        about="flow matching of colour pictures given the grey one, and perhaps five colours; or given nothing, with the same weights",
    ),
    Recipe(
        "palette-cifar",
        "Diffusion of palettes",
        data="cifar-palette",
        family="dgm_models.families.diffusion:Diffusion",
        family_config={"drop": 0.1},
        network="dgm_models.networks.velocity:VelocityPalette",
        network_config={"width": 256, "depth": 4},
        steps=6000,
        batch=256,
        rate=1e-3,
        role="part",
        about="flow matching of the five colours that a grey picture may have had",
    ),
    Recipe(
        "regressor-cifar",
        "Mean-squared-error regressor, colour",
        data="cifar-colour",
        family="dgm_models.families.pairs:Pairs",
        network="dgm_models.networks.residual:PairUNet",
        network_config={"width": 48, "fine": 2, "coarse": 3},
        steps=1500,
        rate=1e-3,
        optimizer="muon",
        role="companion",
        about="E[colour | grey]: the one answer of least squared error, which is brown where it does not know",
    ),
)
