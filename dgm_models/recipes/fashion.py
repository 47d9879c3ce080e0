"""The models of Fashion-MNIST."""

from __future__ import annotations

from dgm_models.recipes.row import Recipe

RECIPES = (
    Recipe(
        "gmm-fashion",
        "Gaussian mixture",
        family="dgm_models.families.gaussian_mixture:GaussianMixture",
        family_config={"components": 20, "factors": 8, "floor": 0.02},
        data="fashion",
        steps=25,
        about="mixture of factor analysers (Ghahramani and Hinton, 1996), EM",
        leads=True,
    ),
    Recipe(
        "diffusion-fashion",
        "Diffusion",
        family="dgm_models.families.diffusion:Diffusion",
        family_config={"drop": 0.2},
        network="dgm_models.networks.velocity:VelocityUNet",
        network_config={"width": 80, "fine": 2, "coarse": 3},
        data="fashion",
        steps=11000,
        optimizer="muon",
        large={"steps": 5300, "batch": 1024},
        about="flow matching (Lipman et al., 2023) with classifier-free guidance (Ho and Salimans, 2022), a U-Net with attention",
        leads=True,
    ),
    Recipe(
        "reader-fashion",
        "Reader of garments",
        family="dgm_models.families.reader:Reader",
        family_config={"jitter": 0.4, "mirrored": True},
        data="fashion",
        steps=6000,
        rate=2e-3,
        large={"steps": 12000, "ema": 0.9995},
        role="judge",
        about="garment classifier p(y | x): measures the others",
    ),
)
