"""What was trained and how: rows of data, no code. The command line, the app, the README and the tests read these."""

from __future__ import annotations

from dgm_models.recipes import fashion, mnist
from dgm_models.recipes.row import ROLES, Recipe

RECIPES = (*mnist.RECIPES, *fashion.RECIPES)

__all__ = ["RECIPES", "ROLES", "Recipe"]
