"""Molecules: SMILES strings as RDKit reads them (Weininger, 1988), their drawings, and what can be computed of them.

RDKit is asked quietly: what it says of a string that is no molecule is part of the answer.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from dgm_models.modalities.text import words
from dgm_models.spaces import Smiles

SIDE, LINE = 180, 22  # pixels: of a drawing, and of the string below it
COLOURS = {"#FF0000": "O", "#0000FF": "N", "#33CCCC": "F"}  # in which RDKit draws elements
PROPERTIES = ("logP", "polar surface", "heavy atoms")  # what a model is asked for: octanol-water partition, square angstrom, a count


@dataclass(frozen=True)
class Facts:
    """What RDKit computes of a molecule: Crippen's logP, the topological polar surface in square angstrom, drug-likeness QED in [0, 1]."""

    smiles: str
    formula: str
    weight: float
    logp: float
    surface: float
    qed: float
    atoms: int
    rings: int


def _quiet() -> Any:
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    return Chem


@lru_cache(maxsize=20_000)
def canonical(smiles: str) -> str | None:
    """The one string of a molecule, whatever the order of its atoms; None for what is no molecule, and for an empty string."""
    molecule = _quiet().MolFromSmiles(smiles) if smiles else None
    return _quiet().MolToSmiles(molecule) if molecule is not None else None


def properties(smiles: str) -> tuple[float, float, float]:
    """PROPERTIES of a valid string."""
    from rdkit.Chem import Crippen, rdMolDescriptors

    molecule = _quiet().MolFromSmiles(smiles)
    return Crippen.MolLogP(molecule), rdMolDescriptors.CalcTPSA(molecule), float(molecule.GetNumHeavyAtoms())


def facts(smiles: str) -> Facts:
    """Of a valid string."""
    from rdkit.Chem import QED, Descriptors, rdMolDescriptors

    molecule = _quiet().MolFromSmiles(smiles)
    logp, surface, atoms = properties(smiles)
    formula, rings = rdMolDescriptors.CalcMolFormula(molecule), rdMolDescriptors.CalcNumRings(molecule)
    return Facts(canonical(smiles) or "", formula, Descriptors.MolWt(molecule), logp, surface, QED.qed(molecule), int(atoms), rings)


def fault(smiles: str) -> str:
    """Why a string is no molecule, in a few words."""
    chem = _quiet()
    if not smiles:
        return "empty"
    molecule = chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is None:
        return "a bracket or a ring is left open" if _completed(smiles) != smiles else "no such string"
    problems = chem.DetectChemistryProblems(molecule)
    if not problems:
        return "no molecule"
    kind = problems[0].GetType()
    if kind == "AtomValenceException":
        atom = molecule.GetAtomWithIdx(problems[0].GetAtomIdx())
        return f"too many bonds at {atom.GetSymbol()}, atom {atom.GetIdx() + 1}"
    return "no double bonds can be placed in its rings"


def _completed(smiles: str) -> str:
    """A beginning of a string with its branches closed and its open rings left out, so that what is there so far can be drawn."""
    smiles = re.sub(r"\[[^\]]*$", "", smiles)
    smiles = re.sub(r"[=#(]+$", "", smiles)
    for digit in "123456789":
        if re.sub(r"\[[^\]]*\]", "", smiles).count(digit) % 2:
            at = smiles.rfind(digit)
            smiles = smiles[:at] + smiles[at + 1 :]
    return smiles + ")" * (smiles.count("(") - smiles.count(")"))


@lru_cache(maxsize=20_000)
def drawing(smiles: str) -> list[list[Any]]:
    """Lines and letters on a square of SIDE, each [the last atom that it needs, path, element or "", whether it is filled]; of what is no
    molecule, as far as it can be drawn."""
    from rdkit.Chem.Draw import rdMolDraw2D

    chem = _quiet()
    molecule = chem.MolFromSmiles(smiles)
    if molecule is None:
        molecule = chem.MolFromSmiles(_completed(smiles), sanitize=False)
        if molecule is None:
            return []
        molecule.UpdatePropertyCache(strict=False)
    else:
        chem.Kekulize(molecule, clearAromaticFlags=True)
    pen = rdMolDraw2D.MolDraw2DSVG(SIDE, SIDE)
    _styled(pen)
    try:
        pen.DrawMolecule(rdMolDraw2D.PrepareMolForDrawing(molecule, kekulize=False))
    except (ValueError, RuntimeError):
        return []
    pen.FinishDrawing()
    parts = []
    for kind, path, how in re.findall(r"<path class='([^']*)' d='([^']*)' ([^>]*)/>", pen.GetDrawingText()):
        atoms = [int(number) for number in re.findall(r"atom-(\d+)", kind)]
        colour = re.search(r"#[0-9A-F]{6}", how)
        element = COLOURS.get(colour[0] if colour else "", "")
        parts.append([max(atoms, default=0), re.sub(r"\s+", " ", path).strip(), element, how.startswith("fill=")])
    return parts


def _styled(pen: Any) -> None:
    options = pen.drawOptions()
    options.clearBackground, options.bondLineWidth, options.padding = False, 2, 0.1
    options.fixedBondLength, options.minFontSize, options.prepareMolsBeforeDrawing = 36, 16, False


def _atoms(smiles: str) -> list[int]:
    """How many atoms there are after 0, 1, 2 ... letters of a string."""
    counts, inside = [0], False
    for letter in smiles:
        inside = letter == "[" or (inside and letter != "]")
        counts.append(counts[-1] + (letter == "[" or (not inside and letter.isalpha())))
    return counts


def pack(space: Smiles, frames: list[Tensor], columns: int) -> dict[str, Any]:
    """Frames of (n, length) -> of each molecule its string, drawing, atoms by letters, and what is wrong with it; and how many letters each
    frame shows."""
    films = [words(space, frame) for frame in frames]
    tiles = []
    for smiles in films[-1]:
        wrong = "" if canonical(smiles) else fault(smiles)
        tiles.append({"smiles": smiles, "drawing": drawing(smiles), "atoms": _atoms(smiles), "wrong": wrong})
    rows = -(-len(tiles) // columns)
    letters = [[len(smiles) for smiles in film] for film in films]
    return {"molecules": tiles, "letters": letters, "columns": columns, "width": columns * SIDE, "height": rows * (SIDE + LINE)}


def paint(packed: dict[str, Any], at: int) -> np.ndarray:
    """A frame as a picture, uint8 (h, w, 3): the molecules whose strings are there whole."""
    from rdkit.Chem.Draw import rdMolDraw2D

    columns, tiles = packed["columns"], packed["molecules"]
    rows = -(-len(tiles) // columns)
    pen = rdMolDraw2D.MolDraw2DCairo(columns * SIDE, rows * SIDE, SIDE, SIDE)
    pen.drawOptions().bondLineWidth = 2
    shown = [tile["smiles"][:count] for tile, count in zip(tiles, packed["letters"][at], strict=True)]
    pen.DrawMolecules([_quiet().MolFromSmiles(canonical(smiles) or "") for smiles in shown])
    pen.FinishDrawing()
    return np.asarray(Image.open(io.BytesIO(pen.GetDrawingText())).convert("RGB"))


# files ----------------------------------------------------------------------------------------------------------------


def smiles_file(packed: dict[str, Any]) -> bytes:
    """The molecules among the strings, one a line."""
    return "".join(f"{tile['smiles']}\n" for tile in packed["molecules"] if not tile["wrong"]).encode()


def sdf_file(packed: dict[str, Any]) -> bytes:
    """The molecules among them, with places in the plane."""
    from rdkit.Chem import AllChem

    chem, file = _quiet(), io.StringIO()
    writer = chem.SDWriter(file)
    for tile in packed["molecules"]:
        if not tile["wrong"]:
            molecule = chem.MolFromSmiles(tile["smiles"])
            AllChem.Compute2DCoords(molecule)
            molecule.SetProp("_Name", tile["smiles"])
            writer.write(molecule)
    writer.close()
    return file.getvalue().encode()
