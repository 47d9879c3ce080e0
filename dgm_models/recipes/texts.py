"""The models of texts."""

from __future__ import annotations

from dgm_models.recipes.row import Recipe

GPT = {
    "family": "dgm_models.families.text:TextModel",
    "network": "dgm_models.networks.transformer:CausalTransformer",
    "steps": 1700,
    "batch": 24,
    "rate": 4e-3,
    "optimizer": "muon",
    "compiles": False,
    "leads": True,
    "about": "a causal transformer (Vaswani et al., 2017; Radford et al., 2018) with rotary positions: p(next | all before it)",
}

NGRAM = {
    "family": "dgm_models.families.ngram:NGram",
    "network": "dgm_models.networks.ngram:KneserNey",
    "steps": 1,
    "about": "p(next | the n - 1 tokens before it), counted, with Kneser-Ney smoothing (Chen and Goodman, 1999)",
}

RECIPES = (
    Recipe(
        "gpt-shakespeare",
        "GPT",
        data="shakespeare",
        network_config={"width": 256, "depth": 5, "dropout": 0.1},
        large={"steps": 6500, "batch": 64, "network_config": {"dropout": 0.35}},
        **GPT,
    ),
    Recipe(
        "gpt-tales",
        "GPT",
        data="tales",
        network_config={"width": 256, "depth": 4, "dropout": 0.15},
        large={"steps": 1500, "batch": 64, "network_config": {"dropout": 0.35}},
        **GPT,
    ),
    Recipe(
        "ngram-shakespeare",
        "7-gram",
        data="shakespeare",
        network_config={"order": 7, "size": 1003848},
        **NGRAM,
    ),
    Recipe(
        "ngram-tales",
        "4-gram",
        data="tales",
        network_config={"order": 4, "size": 372426},
        **NGRAM,
    ),
)
