"""The models of molecules."""

from __future__ import annotations

from dgm_models.recipes.row import Recipe

RECIPES = (
    Recipe(
        "gpt-qm9",
        "GPT",
        data="qm9",
        family="dgm_models.families.strings:Strings",
        family_config={"drop": 0.5},
        network="dgm_models.networks.transformer:CausalTransformer",
        network_config={"width": 192, "depth": 3, "dropout": 0.0},
        steps=1800,
        batch=256,
        rate=4e-3,
        optimizer="muon",
        compiles=False,
        leads=True,
        about="a causal transformer of SMILES strings, letter by letter, given what is asked for",
        large={"steps": 20_000, "network_config": {"width": 256, "depth": 4, "dropout": 0.05}},
    ),
)
