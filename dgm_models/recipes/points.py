"""Every family on points in the plane: small enough to learn while one watches, and what the laws of the families are tried on.

They ship no weights, so that the catalogue does not list them; `catalog.build(row, points.DATA)` makes an untrained one.
"""

from __future__ import annotations

from typing import Any

from dgm_models.recipes.row import Recipe

FAMILIES, NETWORKS, BITS = "dgm_models.families.", "dgm_models.networks.", 10  # of the two coordinates


def _row(id: str, title: str, family: str, network: str | None = None, **how: Any) -> Recipe:
    """A row with what most points need: 1,200 steps of 128, at a rate of 0.003."""
    plain = {"data": "points", "steps": 1200, "batch": 128, "rate": 3e-3, "ema": 0.98, "half": False, "compiles": False}
    return Recipe(f"{id}-points", title, FAMILIES + family, network and NETWORKS + network, **{**plain, **how})


RECIPES = (
    _row(
        "gmm",
        "Gaussian mixture",
        "gaussian_mixture:GaussianMixture",
        family_config={"components": 3, "factors": 1, "floor": 0.02},
        steps=8,
    ),
    _row(
        "vae",
        "VAE",
        "vae:VAE",
        "autoencoder:PointAutoencoder",
        network_config={"latent": 3, "width": 32},
        family_config={"latent": 3},
        steps=2000,
    ),
    _row("diffusion", "Diffusion", "diffusion:Diffusion", "velocity:VelocityMLP"),
    _row("diffusion-fast", "Few-step diffusion", "distilled:DistilledDiffusion", "velocity:VelocityMLP", teacher="diffusion-points"),
    _row("autoregressive", "Autoregressive", "autoregressive:Autoregressive", "raster:CoordinateNet", network_config={"levels": 64}),
    _row("any-order", "Any order", "any_order:AnyOrder", "any_order:AnyOrderMLP", network_config={"levels": 64}),
    _row("flow", "Normalizing flow", "flow:Flow", "coupling:CoupledCoordinates", network_config={"levels": 64}),
    _row("energy", "Energy-based", "energy:EnergyBased", "energy:EnergyMLP", family_config={"most": 2.0, "compare": 0.01}),
    _row(
        "gan",
        "GAN",
        "gan:GAN",
        "adversarial:PointAdversaries",
        network_config={"latent": 4},
        family_config={"latent": 4, "gamma": 0.1, "penalised": 0.5},
        momentum=0.0,
    ),
    _row(
        "rbm",
        "Restricted Boltzmann machine",
        "boltzmann:BoltzmannMachine",
        "boltzmann:Layers",
        network_config={"sizes": [BITS, 64]},
        family_config={"sweeps": 2, "telling": 1.0},
        steps=2000,
        rate=1.0,
        optimizer="sgd",
    ),
    _row(
        "dbn",
        "Deep belief network",
        "belief:DeepBelief",
        "boltzmann:Belief",
        network_config={"visible": BITS, "features": 64, "hidden": 64},
        family_config={"sweeps": 2, "telling": 1.0},
        steps=3500,
        rate=2.0,
        optimizer="sgd",
    ),
    _row(
        "dbm",
        "Deep Boltzmann machine",
        "boltzmann:DeepBoltzmann",
        "boltzmann:Layers",
        network_config={"sizes": [BITS, 48, 24], "centred": True},
        family_config={"greedy": (0.15, 0.3), "sweeps": 2, "telling": 1.0},
        steps=2000,
        rate=1.0,
        optimizer="sgd",
    ),
    _row("gsn", "Generative stochastic network", "gsn:GSN", "velocity:VelocityMLP", network_config={"outputs": 2}),
    _row(
        "gradient-flow",
        "Sliced Wasserstein flow",
        "sliced_flow:SlicedWassersteinFlow",
        "autoencoder:PointAutoencoder",
        network_config={"latent": 3, "width": 32},
        family_config={"latent": 3, "steps": 30, "beta": 0.5},
        steps=2000,
    ),
    _row(
        "gflownet",
        "GFlowNet",
        "gflownet:GFlowNet",
        "nade:NADE",
        network_config={"units": BITS, "hidden": 64},
        family_config={"hidden": 64},
        teacher="rbm-points",
    ),
)
BY_ID = {row.id: row for row in RECIPES}
