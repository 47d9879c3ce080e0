"""A model a year, 2014 to 2021, of about as many parameters, on the same faces."""

from __future__ import annotations

from typing import Any

from dgm_models.recipes.row import Recipe

LATENT, NETWORKS = 64, "dgm_models.networks.years:"


def _game(year: int, name: str, network: str, about: str, game: str = "non-saturating", rate: float = 2e-4, **sizes: Any) -> Recipe:
    return Recipe(
        f"year-{year}-avatars",
        f"{year}: {name}",
        data="avatars",
        family="dgm_models.families.years:GANOfYear",
        family_config={"latent": LATENT, "game": game},
        network=NETWORKS + network,
        network_config={"latent": LATENT, **sizes},
        steps=2500,
        batch=64,
        rate=rate,
        momentum=0.5 if game == "non-saturating" else 0.0,
        ema=0.995,
        compiles=False,
        role="part",
        about=about,
    )


def _diffusion(year: int, name: str, drop: float, about: str) -> Recipe:
    return Recipe(
        f"year-{year}-avatars",
        f"{year}: {name}",
        data="avatars",
        family="dgm_models.families.diffusion:Diffusion",
        family_config={"drop": drop},
        network="dgm_models.networks.velocity:VelocityUNet",
        network_config={"width": 40, "fine": 1, "coarse": 2, "patch": 1},
        steps=1500,
        batch=64,
        rate=1e-3,
        ema=0.998,
        compiles=False,
        role="part",
        about=about,
    )


RECIPES = (
    _game(2014, "GAN", "Perceptrons", "two perceptrons and a game (Goodfellow et al., 2014)"),
    _game(2015, "DCGAN", "Deep", "convolutions, batch normalization (Radford et al., 2016)"),
    _game(2016, "coupled GAN", "Coupled", "two kinds, shared layers: pairs from one code (Liu and Tuzel, 2016)", first=2),
    _game(2017, "progressive GAN", "Growing", "small pictures first, then larger (Karras et al., 2018)", "Wasserstein", 1e-3),
    _game(2018, "StyleGAN", "Growing", "a style steers every layer (Karras et al., 2019)", "R1", 1e-3, styled=True),
    _game(
        2019, "StyleGAN2", "Growing", "scaled kernels, no growing (Karras et al., 2020)", "R1", 1e-3, styled=True, even=True, grows=False
    ),
    _diffusion(2020, "DDPM", 1.0, "noise, and many small steps back (Ho et al., 2020)"),
    _diffusion(
        2021, "guided diffusion", 0.15, "the same, told the colour of hair, and guided (Dhariwal and Nichol, 2021; Ho and Salimans, 2022)"
    ),
)
