"""Deep generative models, one contract: `load(id)`, then sample, restore, encode, decode, log_prob."""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "load": "dgm_models.catalog",
    "read": "dgm_models.catalog",
    "write": "dgm_models.catalog",
    "Noise": "dgm_models.contracts",
    "Pixels": "dgm_models.spaces",
    "Reals": "dgm_models.spaces",
    "Frame": "dgm_models.contracts",
    "Family": "dgm_models.contracts",
    "Hide": "dgm_models.measurements",
    "Shrink": "dgm_models.measurements",
    "Grey": "dgm_models.measurements",
    "Bicubic": "dgm_models.measurements",
}
__all__ = [*_HOME, "catalog"]


def __getattr__(name: str) -> object:
    """Import on first use, so that `import dgm_models` costs nothing."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name == "catalog":
        return import_module("dgm_models.catalog")
    raise AttributeError(f"module 'dgm_models' has no attribute {name!r}")
