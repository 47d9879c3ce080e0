"""Molecules: SMILES strings as RDKit reads them (Weininger, 1988), their drawings, and what can be computed of them.

RDKit is asked quietly: what it says of a string that is no molecule is part of the answer.
"""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from dgm_models.modalities.text import words
from dgm_models.spaces import Selfies, Tokens

SIDE, LINE = 180, 22  # pixels: of a drawing, and of the string below it
BODY = 30  # heavy atoms of a molecule that is shown in space
COLOURS = {"#FF0000": "O", "#0000FF": "N", "#33CCCC": "F"}  # in which RDKit draws elements
GOALS = ("drug-likeness QED", "logP", "polar surface", "rings", "size")  # what there may be more or less of, each from 0 to 1
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


def rdkit() -> Any:
    """RDKit's `Chem`, which keeps its complaints to itself."""
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    return Chem


@lru_cache(maxsize=20_000)
def canonical(smiles: str) -> str | None:
    """The one string of a molecule, whatever the order of its atoms; None for what is no molecule, and for an empty string."""
    molecule = rdkit().MolFromSmiles(smiles) if smiles else None
    return rdkit().MolToSmiles(molecule) if molecule is not None else None


def unhanded(smiles: str) -> str:
    """The one string of a molecule without what tells it from its mirror image. ValueError for what is none."""
    made = rdkit().MolFromSmiles(smiles)
    if made is None:
        raise ValueError(f"expected a SMILES string, got {smiles[:40]!r}")
    return rdkit().MolToSmiles(made, isomericSmiles=False)


def to_selfies(smiles: str) -> str:
    """A valid string as SELFIES, token after token. ValueError for what they cannot spell."""
    import selfies

    try:
        return selfies.encoder(smiles)
    except selfies.EncoderError as error:
        raise ValueError(f"expected a molecule that SELFIES can spell, got {smiles[:40]!r}") from error


def from_selfies(tokens: str) -> str:
    """The SMILES string of SELFIES tokens in a row; there is one whatever they are."""
    import selfies

    return canonical(selfies.decoder(tokens)) or ""


def properties(smiles: str) -> tuple[float, float, float]:
    """PROPERTIES of a valid string."""
    from rdkit.Chem import Crippen, rdMolDescriptors

    molecule = rdkit().MolFromSmiles(smiles)
    return Crippen.MolLogP(molecule), rdMolDescriptors.CalcTPSA(molecule), float(molecule.GetNumHeavyAtoms())


@lru_cache(maxsize=100_000)
def goals(smiles: str) -> tuple[float, ...]:
    """GOALS of a valid string: QED; logP from -2 to 3, polar surface from 0 to 100 square angstrom, rings from 0 to 3 and heavy atoms from
    1 to 9, each as a share of that way, what lies beyond as its end."""
    known = facts(smiles)
    shares = (known.qed, (known.logp + 2) / 5, known.surface / 100, known.rings / 3, (known.atoms - 1) / 8)
    return tuple(min(1.0, max(0.0, each)) for each in shares)


def facts(smiles: str) -> Facts:
    """Of a valid string."""
    from rdkit.Chem import QED, Descriptors, rdMolDescriptors

    molecule = rdkit().MolFromSmiles(smiles)
    logp, surface, atoms = properties(smiles)
    formula, rings = rdMolDescriptors.CalcMolFormula(molecule), rdMolDescriptors.CalcNumRings(molecule)
    return Facts(canonical(smiles) or "", formula, Descriptors.MolWt(molecule), logp, surface, QED.qed(molecule), int(atoms), rings)


def fault(smiles: str) -> str:
    """Why a string is no molecule, in a few words."""
    chem = rdkit()
    if not smiles:
        return "empty"
    molecule = chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is None:
        return left_open(smiles) or "no such string"
    return problem(molecule)


def of_parts(elements: list[str], bonds: list[tuple[int, int, int]]) -> str:
    """The string of atoms and of bonds between them, each two atoms and an order from 1 to 3; parts that do not hang together stand behind
    dots. ValueError for what is no molecule."""
    chem = rdkit()
    made = chem.RWMol()
    for element in elements:
        made.AddAtom(chem.Atom(element))
    for one, other, order in bonds:
        made.AddBond(one, other, (chem.BondType.SINGLE, chem.BondType.DOUBLE, chem.BondType.TRIPLE)[order - 1])
    if chem.DetectChemistryProblems(made):
        raise ValueError(problem(made))
    return chem.MolToSmiles(chem.MolFromSmiles(chem.MolToSmiles(made)))


def left_open(smiles: str) -> str:
    """What a string opens and never closes, and at which of its letters, counted from 1; empty where nothing is."""
    inside, branches, rings = 0, [], {}
    for found in re.finditer(r"%\d\d|.", smiles):
        at, letter = found.start() + 1, found[0].lstrip("%")
        if letter == "[":
            inside = at
        elif letter == "]":
            inside = 0
        elif inside:
            continue
        elif letter == "(":
            branches.append(at)
        elif letter == ")" and branches:
            branches.pop()
        elif letter == ")":
            return f"the ) at letter {at} closes nothing"
        elif letter.isdigit() and rings.pop(letter, None) is None:
            rings[letter] = at
    if inside:
        return f"the [ at letter {inside} stays open"
    if branches:
        return f"the ( at letter {branches[-1]} stays open"
    if rings:
        digit, at = next(iter(rings.items()))
        return f"ring {digit}, from letter {at}, stays open"
    return ""


def problem(molecule: Any) -> str:
    """What is wrong with a graph of RDKit's that was not checked, in a few words."""
    problems = rdkit().DetectChemistryProblems(molecule)
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


def solid(smiles: str) -> dict[str, Any] | None:
    """A valid string as a body: of each atom its element and its place in angstrom, hydrogen with them, and of each bond its two atoms and
    its order. As distance geometry and a force field have it (ETKDG: Riniker and Landrum, 2015; MMFF94); None where they find no way, and
    for more than BODY heavy atoms, which would take them seconds."""
    from rdkit.Chem import AllChem

    chem = rdkit()
    molecule = chem.MolFromSmiles(smiles)
    if molecule.GetNumHeavyAtoms() > BODY:
        return None
    molecule = chem.AddHs(molecule)
    how = AllChem.ETKDGv3()
    how.randomSeed, how.maxIterations = 7, 10
    try:
        if AllChem.EmbedMolecule(molecule, how) < 0:
            return None
        if AllChem.MMFFHasAllMoleculeParams(molecule):
            AllChem.MMFFOptimizeMolecule(molecule, maxIters=100)
    except (RuntimeError, ValueError):
        return None
    chem.Kekulize(molecule, clearAromaticFlags=True)
    places = molecule.GetConformer().GetPositions()
    places = (places - places.mean(0)).round(2)
    return {
        "atoms": [[atom.GetSymbol(), *place] for atom, place in zip(molecule.GetAtoms(), places.tolist(), strict=True)],
        "bonds": [[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), int(bond.GetBondTypeAsDouble())] for bond in molecule.GetBonds()],
    }


@lru_cache(maxsize=20_000)
def drawing(smiles: str) -> list[list[Any]]:
    """Lines and letters on a square of SIDE, each [the last atom that it needs, path, element or "", whether it is filled]; of what is no
    molecule, as far as it can be drawn."""
    chem = rdkit()
    molecule = chem.MolFromSmiles(smiles)
    if molecule is None:
        molecule = chem.MolFromSmiles(_completed(smiles), sanitize=False)
        if molecule is None:
            return []
    return [[max(atoms, default=0), path, element, filled] for atoms, path, element, filled in strokes(molecule)]


def strokes(molecule: Any) -> list[tuple[list[int], str, str, bool]]:
    """Of a graph of RDKit's: the atoms that each line or letter belongs to, its path, its element or "", whether it is filled."""
    from rdkit.Chem.Draw import rdMolDraw2D

    chem = rdkit()
    molecule = chem.Mol(molecule)
    molecule.UpdatePropertyCache(strict=False)
    if any(atom.GetIsAromatic() for atom in molecule.GetAtoms()):
        with contextlib.suppress(chem.KekulizeException):
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
        parts.append((atoms, re.sub(r"\s+", " ", path).strip(), element, how.startswith("fill=")))
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


def strings(space: Tokens, x: Tensor) -> list[str]:
    """(n, length) -> n SMILES strings, written so or as SELFIES; the latter are always molecules."""
    texts = words(space, x)
    return [from_selfies(text) for text in texts] if isinstance(space, Selfies) else texts


def pack(space: Tokens, frames: list[Tensor], columns: int) -> dict[str, Any]:
    """Frames of (n, length) -> of each molecule its string, drawing, atoms by letters, and what is wrong with it; and how many letters each
    frame shows."""
    films = [strings(space, frame) for frame in frames]
    tiles = []
    for smiles in films[-1]:
        wrong = "" if canonical(smiles) else fault(smiles)
        tiles.append({"smiles": smiles, "drawing": drawing(smiles), "atoms": _atoms(smiles), "wrong": wrong})
    letters = [[len(smiles) for smiles in film] for film in films]
    return {"molecules": tiles, "letters": letters, "columns": columns, **sheet(len(tiles), columns)}


def sheet(count: int, columns: int) -> dict[str, int]:
    """The width and height that so many drawings ask for, a line of letters below each."""
    return {"width": columns * SIDE, "height": -(-count // columns) * (SIDE + LINE)}


def paint(packed: dict[str, Any], at: int) -> np.ndarray:
    """A frame as a picture, uint8 (h, w, 3): the molecules whose strings are there whole."""
    counts = zip(packed["molecules"], packed["letters"][at], strict=True)
    shown = packed["says"][at] if "says" in packed else [tile["smiles"][:count] for tile, count in counts]
    return picture(["" if "." in text else text for text in shown], packed["columns"])


def picture(texts: list[str], columns: int) -> np.ndarray:
    """Molecules in rows, uint8 (h, w, 3); an empty place for a string that is none."""
    from rdkit.Chem.Draw import rdMolDraw2D

    pen = rdMolDraw2D.MolDraw2DCairo(columns * SIDE, -(-len(texts) // columns) * SIDE, SIDE, SIDE)
    pen.drawOptions().bondLineWidth = 2
    pen.DrawMolecules([rdkit().MolFromSmiles(canonical(text) or "") for text in texts])
    pen.FinishDrawing()
    return np.asarray(Image.open(io.BytesIO(pen.GetDrawingText())).convert("RGB"))


# files ----------------------------------------------------------------------------------------------------------------


def smiles_file(packed: dict[str, Any]) -> bytes:
    """The molecules among the strings, one a line."""
    return "".join(f"{tile['smiles']}\n" for tile in packed["molecules"] if not tile["wrong"]).encode()


def sdf_file(packed: dict[str, Any]) -> bytes:
    """The molecules among them, with places in the plane."""
    from rdkit.Chem import AllChem

    chem, file = rdkit(), io.StringIO()
    writer = chem.SDWriter(file)
    for tile in packed["molecules"]:
        if not tile["wrong"]:
            molecule = chem.MolFromSmiles(tile["smiles"])
            AllChem.Compute2DCoords(molecule)
            molecule.SetProp("_Name", tile["smiles"])
            writer.write(molecule)
    writer.close()
    return file.getvalue().encode()
