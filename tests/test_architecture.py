"""The house: arrows run one way, gradio stays in the ui, importing does nothing, recipes and manifest agree."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from dgm_models import catalog, weights
from dgm_models.catalog import MODELS
from dgm_models.measurements import Hide, Shrink

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dgm_models"
FILES = sorted(PACKAGE.rglob("*.py"))

# a layer may import those at or below its own height
LOWEST = "contracts spaces conditions likelihoods door turns probability measurements samplers guidance networks modalities data sweeps"
HEIGHT = dict.fromkeys(LOWEST.split(), 0)
HEIGHT |= {"families": 1, "recipes": 1, "weights": 1, "catalog": 2, "hub": 3, "training": 3, "evaluation": 3, "applications": 3, "ui": 4}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def layer(dotted: str) -> int | None:
    parts = dotted.split(".")
    return HEIGHT.get(parts[1]) if parts[0] == "dgm_models" and len(parts) > 1 else None


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_arrow_runs_backwards(path):
    inside = path.relative_to(PACKAGE).parts
    found = imports(path)
    if inside[0] != "ui":
        assert not any(name.split(".")[0] == "gradio" for name in found)
        if inside[0] != "__main__.py":
            assert not any(name.startswith("dgm_models.ui") for name in found)
    mine = HEIGHT.get(inside[0].removesuffix(".py"))
    if mine is not None:
        assert [name for name in found if (theirs := layer(name)) is not None and theirs > mine] == []
    if inside[0] == "families":
        assert not any(name.startswith("dgm_models.catalog") for name in found)
    assert not {name for name in found if name.split(".")[0] in ("torchvision", "pickle", "matplotlib")}


def test_the_ui_knows_no_family_by_name():
    """Choices come from the catalogue; only the tab of a family names its model."""
    own = {
        "gaussian_mixture.py",
        "autoregressive.py",
        "vae.py",
        "diffusion.py",
        "gan.py",
        "flow.py",
        "energy.py",
        "belief.py",
        "boltzmann.py",
        "gsn.py",
        "gradient_flow.py",
        "gflownet.py",
    }
    for path in (PACKAGE / "ui").rglob("*.py"):
        if path.name not in own:
            named = [id for id in catalog.MODELS if catalog.MODELS[id].generative and id in path.read_text(encoding="utf-8")]
            assert not named, path


def test_importing_is_light():
    """`import dgm_models` costs next to nothing beyond torch: it imports nothing until asked."""
    heavy = ("torch", "gradio", "huggingface_hub", "numpy")
    code = f"import sys, dgm_models; print([m for m in sys.modules if m.split('.')[0] in {heavy}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_every_listed_model_is_in_the_catalogue_with_its_files():
    for id, entry in weights.manifest().items():
        if id == "_hub":
            continue
        assert id in MODELS
        assert (weights.FOLDER / id / "config.json").is_file()
        assert entry["title"] == MODELS[id].title


def test_questions_find_their_models():
    assert set(catalog.models_for("restore")) <= set(catalog.models_for("sample"))
    assert "gmm-mnist" in catalog.models_for("restore")
    assert "gmm-mnist" not in catalog.models_for("encode")
    assert set(catalog.models_for("restore", Shrink)) <= set(catalog.models_for("restore", Hide))
    with pytest.raises(ValueError, match="expected one of sample, restore"):
        catalog.models_for("everything")


def test_the_readme_shows_what_the_manifest_says():
    from dgm_models.evaluation.report import BEGIN, END, tables

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == tables().strip()


def test_text_is_read_and_written_in_one_encoding():
    """A locale is no encoding: where the system's is not UTF-8 (LC_ALL=C, cp1252 on Windows), nothing else may change."""
    for path in [ROOT / "app.py", *FILES, *(ROOT / "tests").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            mode = node.args[1].value if name == "open" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else ""
            text = name in ("read_text", "write_text") or (name == "open" and isinstance(node.func, ast.Name) and "b" not in str(mode))
            named = any(keyword.arg == "encoding" for keyword in node.keywords)
            assert not text or named, f"{path.name}:{node.lineno}: {name} without an encoding"
            program = name in ("run", "Popen", "check_output")
            assert not program or not any(keyword.arg == "text" for keyword in node.keywords), (
                f"{path.name}:{node.lineno}: encoding= says more than text="
            )


def test_nothing_is_yielded_where_gradients_are_off():
    """Torch keeps that for a thread: who is asked to wait there would leave it off for everybody else, or for good."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.With) and any("grad" in ast.unparse(each.context_expr) for each in node.items):
                inside = [part for line in node.body for part in ast.walk(line)]
                assert not any(isinstance(part, ast.Yield | ast.YieldFrom) for part in inside), f"{path.name}:{node.lineno}"


def test_a_tab_declares_its_panels_and_computes_nothing():
    """How panels are laid out and wired stands in ui/panel.py alone, and what they ask of models in applications."""
    for path in (PACKAGE / "ui" / "tabs").glob("*.py"):
        called = {
            getattr(node.func, "attr", getattr(node.func, "id", ""))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        }
        assert not called & {"react", "answering", "no_grad", "measured", "trace", "sample", "log_prob"}, path


def test_the_numbers_of_one_data_set_stand_with_it():
    """28, 784 and the name of a data set: in data, recipes and what is measured of it; elsewhere they come from its space."""
    free = {"data", "recipes", "evaluation"}
    for path in FILES:
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] in free or path.name in ("photo.py", "nade.py"):  # reads people's digits; a block of a cache
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and type(node.value) in (int, str):
                assert node.value not in (28, 784, 783, "mnist", "0123456789"), f"{inside}:{node.lineno}"
            if isinstance(node, ast.ImportFrom):
                named = {f"{node.module}.{alias.name}" for alias in node.names}
                assert "dgm_models.data.mnist" not in {node.module, *named}, f"{inside}:{node.lineno}"
