"""What was trained and how: rows of data, no code. The command line, the app, the README and the tests read these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """One trained model. `family` and `network` are dotted names, imported when the model is built.

    `large` holds what changes for a GPU (`./dgm train ID --large`). `teacher` is the id of a model that must be trained first.
    """

    id: str
    title: str
    family: str
    network: str | None = None
    network_config: dict[str, Any] = field(default_factory=dict)
    family_config: dict[str, Any] = field(default_factory=dict)
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
    generative: bool = True
    hidden: bool = False  # a row that serves one panel and is not offered as a model of its own
    few: bool = False  # learns from the 200 training digits that ship with the app, 20 of each label
    aside: bool = False  # a further model of its family: offered, but not among those that a comparison starts with
    about: str = ""


LONG = {"steps": 60000, "batch": 256, "ema": 0.9998}  # what changes for a GPU
DIGIT = {"shape": (1, 28, 28), "kind": "image"}
BELIEF = {
    "family_config": {"space": DIGIT, "classes": 10, "sweeps": 1, "telling": 1.0},
    "network": "dgm_models.networks.boltzmann:Belief",
    "network_config": {"visible": 784, "features": 500, "hidden": 1000, "classes": 10},
    "steps": 30000,
    "batch": 100,
    "rate": 0.2,
    "optimizer": "sgd",
    "compiles": False,
}

RECIPES = (
    Recipe(
        "gmm-mnist",
        "Gaussian mixture",
        family="dgm_models.families.gaussian_mixture:GaussianMixture",
        family_config={"space": DIGIT, "classes": 10, "components": 20, "factors": 8, "floor": 0.02},
        steps=25,
        half=True,
        about="mixture of factor analysers (Ghahramani and Hinton, 1996), EM",
    ),
    Recipe(
        "autoregressive-mnist",
        "Autoregressive",
        family="dgm_models.families.autoregressive:Autoregressive",
        family_config={"space": DIGIT, "classes": 10, "positions": 288},
        network="dgm_models.networks.raster:RasterNet",
        network_config={"classes": 10, "width": 128, "above": 96, "rows": 4, "depth": 3, "memory": 256, "plan": 16},
        steps=8000,
        batch=64,
        rate=2e-3,
        optimizer="muon",
        large={"steps": 10000, "batch": 256, "ema": 0.9995, "network_config": {"memory": 512, "dropout": 0.1}},
        about="exact likelihood pixel by pixel in raster order: a causal convolutional stack and a recurrent summary of rows",
    ),
    Recipe(
        "any-order-mnist",
        "Any order",
        family="dgm_models.families.any_order:AnyOrder",
        family_config={"space": DIGIT, "classes": 10, "positions": 288, "patchy": 0.5},
        network="dgm_models.networks.any_order:AnyOrderUNet",
        network_config={"width": 80, "fine": 2, "coarse": 3, "classes": 10},
        steps=6000,
        batch=64,
        rate=1.5e-3,
        optimizer="muon",
        large={"steps": 9500, "batch": 256, "ema": 0.9995},
        aside=True,
        about="p(pixel | any set of seen pixels): order-agnostic autoregression (Hoogeboom et al., 2022), a U-Net with attention",
    ),
    Recipe(
        "flow-mnist",
        "Normalizing flow",
        family="dgm_models.families.flow:Flow",
        family_config={"space": DIGIT, "classes": 10},
        network="dgm_models.networks.coupling:CoarseToFine",
        network_config={"classes": 10, "widths": [64, 64, 48], "depths": [4, 4, 3], "recogniser": 16},
        steps=4200,
        batch=96,
        rate=1.5e-3,
        optimizer="muon",
        large=LONG,
        about="exact likelihood by an invertible map to Gaussian noise: coupling layers in several scales (Dinh et al., 2017)",
    ),
    Recipe(
        "vae-mnist",
        "VAE",
        family="dgm_models.families.vae:VAE",
        family_config={"space": DIGIT, "classes": 10, "latent": 32, "mixture": 30},
        network="dgm_models.networks.autoencoder:Autoencoder",
        network_config={"latent": 32, "width": 64, "classes": 10, "mixtures": 3},
        steps=3000,
        rate=1e-3,
        about="class-conditional variational autoencoder (Kingma and Welling, 2014), mixture of discretized logistics",
    ),
    Recipe(
        "vae-plane-mnist",
        "VAE, 2-D latent",
        family="dgm_models.families.vae:VAE",
        family_config={"space": DIGIT, "classes": 10, "latent": 2, "drop": 0.5},
        network="dgm_models.networks.autoencoder:Autoencoder",
        network_config={"latent": 2, "width": 32, "classes": 10, "mixtures": 3},
        steps=2000,
        rate=1e-3,
        hidden=True,
        about="the same with two latent numbers: a map that can be drawn",
    ),
    Recipe(
        "diffusion-mnist",
        "Diffusion",
        family="dgm_models.families.diffusion:Diffusion",
        family_config={"space": DIGIT, "classes": 10, "drop": 0.2},
        network="dgm_models.networks.velocity:VelocityUNet",
        network_config={"channels": 1, "width": 80, "fine": 2, "coarse": 3, "classes": 10},
        steps=11000,
        rate=1e-3,
        optimizer="muon",
        large={"steps": 40000, "batch": 512, "ema": 0.9998},
        about="flow matching (Lipman et al., 2023) with classifier-free guidance (Ho and Salimans, 2022), a U-Net with attention",
    ),
    Recipe(
        "diffusion-fast-mnist",
        "Diffusion, 2 steps",
        family="dgm_models.families.distilled:DistilledDiffusion",
        family_config={"space": DIGIT, "classes": 10},
        network="dgm_models.networks.velocity:VelocityUNet",
        network_config={"channels": 1, "width": 80, "fine": 2, "coarse": 3, "classes": 10},
        steps=1200,
        rate=4e-4,
        ema=0.998,
        optimizer="muon",
        teacher="diffusion-mnist",
        aside=True,
        about="progressive distillation (Salimans and Ho, 2022): a student that jumps where its guided teacher walks",
    ),
    Recipe(
        "energy-mnist",
        "Energy-based",
        family="dgm_models.families.energy:EnergyBased",
        family_config={"space": DIGIT, "classes": 10, "compare": 0.01},
        network="dgm_models.networks.energy:EnergyUNet",
        network_config={"width": 48, "fine": 1, "coarse": 2, "classes": 10},
        steps=4000,
        batch=64,
        rate=1e-3,
        optimizer="muon",
        compiles=False,
        large=LONG,
        about="one scalar energy: denoising score matching at many scales (Vincent, 2011; Li et al., 2019), then telling labels apart",
    ),
    Recipe(
        "gan-mnist",
        "GAN",
        family="dgm_models.families.gan:GAN",
        family_config={"space": DIGIT, "classes": 10, "latent": 64, "gamma": 1.0},
        network="dgm_models.networks.adversarial:Adversaries",
        network_config={"latent": 64, "classes": 10, "width": 64, "critic_width": 48},
        steps=9000,
        batch=64,
        rate=3e-4,
        momentum=0.0,
        compiles=False,
        large={"steps": 9500, "batch": 128, "ema": 0.9995, "family_config": {"gamma": 1.0, "last_gamma": 0.1}},
        about="relativistic pairs with R1 and R2 (Huang et al., 2024: R3GAN), class-conditional",
    ),
    Recipe(
        "gan-few-mnist",
        "GAN of 200 digits",
        family="dgm_models.families.gan:GAN",
        family_config={"space": DIGIT, "classes": 10, "latent": 64, "gamma": 1.0},
        network="dgm_models.networks.adversarial:Adversaries",
        network_config={"latent": 64, "classes": 10, "width": 32, "critic_width": 24},
        steps=2500,
        batch=32,
        rate=3e-4,
        momentum=0.0,
        compiles=False,
        hidden=True,
        few=True,
        about="the same game with 200 digits to learn from: what particles that move to those digits are compared with",
    ),
    Recipe(
        "rbm-mnist",
        "RBM",
        family="dgm_models.families.boltzmann:BoltzmannMachine",
        family_config={"space": DIGIT, "classes": 10, "sweeps": 1, "telling": 0.3},
        network="dgm_models.networks.boltzmann:Layers",
        network_config={"sizes": [784, 500], "classes": 10},
        steps=14000,
        batch=100,
        rate=0.2,
        optimizer="sgd",
        compiles=False,
        aside=True,
        about="restricted Boltzmann machine of pictures and labels (Smolensky, 1986; Hinton, 2002), persistent contrastive divergence",
    ),
    Recipe(
        "dbn-mnist",
        "Deep belief network",
        family="dgm_models.families.belief:DeepBelief",
        **BELIEF,
        aside=True,
        about="layers learned greedily by Boltzmann machines, then tuned awake and asleep (Hinton, Osindero and Teh, 2006)",
    ),
    Recipe(
        "dbn-growth-mnist",
        "Deep belief network as it grew",
        family="dgm_models.families.belief:GrowingBelief",
        family_config={**BELIEF["family_config"], "firsts": (0.002, 0.01, 0.3), "aboves": (0.32, 0.65)},
        **{key: value for key, value in BELIEF.items() if key != "family_config"},
        hidden=True,
        aside=True,
        about="the same training, kept at five moments: what the replay of the greedy learning shows",
    ),
    Recipe(
        "dbm-mnist",
        "Deep Boltzmann machine",
        family="dgm_models.families.boltzmann:DeepBoltzmann",
        family_config={"space": DIGIT, "classes": 10, "sweeps": 1, "telling": 0.3, "greedy": (0.45, 0.57)},
        network="dgm_models.networks.boltzmann:Layers",
        network_config={"sizes": [784, 1000, 500], "classes": 10, "centred": True},
        steps=36000,
        batch=100,
        rate=0.16,
        optimizer="sgd",
        compiles=False,
        aside=True,
        about="two hidden layers, learned pair by pair, then as one: mean field and persistent chains (Salakhutdinov and Hinton, 2009)",
    ),
    Recipe(
        "gsn-mnist",
        "Stochastic network",
        family="dgm_models.families.gsn:GSN",
        family_config={"space": DIGIT, "classes": 10, "drop": 0.2, "walking": 0.25},
        network="dgm_models.networks.velocity:VelocityUNet",
        network_config={"channels": 1, "width": 48, "fine": 1, "coarse": 2, "classes": 10},
        steps=7000,
        batch=48,
        rate=1e-3,
        optimizer="muon",
        compiles=False,
        large=LONG,
        aside=True,
        about="generative stochastic network (Bengio et al., 2014): corrupt, draw what was there, again; a denoiser trained by walkback",
    ),
    Recipe(
        "gradient-flow-mnist",
        "Gradient flow",
        family="dgm_models.families.latent_flow:LatentFlow",
        family_config={"space": DIGIT, "classes": 10, "latent": 32, "steps": 40, "knots": 20},
        network="dgm_models.networks.autoencoder:Autoencoder",
        network_config={"latent": 32, "width": 64, "classes": 10, "mixtures": 3},
        steps=0,  # of the autoencoder, which is the VAE's
        compiles=False,
        teacher="vae-mnist",
        aside=True,
        about="sliced Wasserstein flow (Liutkus et al., 2019) of the codes of the VAE, every step kept for new particles",
    ),
    Recipe(
        "gflownet-mnist",
        "GFlowNet",
        family="dgm_models.families.bit_flow:BitFlow",
        family_config={"space": DIGIT, "classes": 10, "hidden": 500},
        network="dgm_models.networks.nade:NADE",
        network_config={"units": 784, "hidden": 500, "classes": 10},
        steps=4500,
        batch=32,
        rate=3e-3,
        compiles=False,
        teacher="rbm-mnist",
        aside=True,
        about="pixels decided one by one, in proportion to what an RBM holds the picture worth: trajectory balance (Malkin et al., 2022)",
    ),
    Recipe(
        "reader-mnist",
        "Reader",
        family="dgm_models.families.reader:Reader",
        family_config={"space": DIGIT, "classes": 10},
        steps=4500,
        rate=2e-3,
        generative=False,
        about="digit classifier p(y | x): measures the others",
    ),
    Recipe(
        "regressor-mnist",
        "Mean-squared-error regressor",
        family="dgm_models.families.regressor:Regressor",
        family_config={"space": DIGIT},
        network="dgm_models.networks.residual:PatchResNet",
        network_config={"channels": 2, "out": 1, "width": 48, "depth": 5},
        steps=3000,
        rate=1e-3,
        generative=False,
        about="the one answer of least squared error, E[x | seen]: what sampling is compared with",
    ),
)
