"""What was trained and how: rows of data, no code. The command line, the app, the README and the tests read these."""

from __future__ import annotations

from dgm_models.recipes import avatars, captions, cifar, fashion, mnist, molecules, pairs, photos, texts
from dgm_models.recipes.row import ROLES, Recipe

RECIPES = (
    *mnist.RECIPES,
    *fashion.RECIPES,
    *cifar.RECIPES,
    *photos.RECIPES,
    *captions.RECIPES,
    *avatars.RECIPES,
    *pairs.RECIPES,
    *texts.RECIPES,
    *molecules.RECIPES,
)

__all__ = ["RECIPES", "ROLES", "Recipe"]
