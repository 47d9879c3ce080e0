"""Molecules as graphs: from SMILES strings, to what RDKit knows, and how they are looked at while they are built."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgm_models.modalities import molecule
from dgm_models.spaces import Graphs


def read(space: Graphs, smiles: str) -> Tensor:
    """The graph of a valid string, its rings with single and double bonds, (*shape). ValueError for one that has no room there, or says
    more than a graph can: charges, radicals, isotopes."""
    chem = molecule.rdkit()
    made = chem.MolFromSmiles(smiles)
    if made is None:
        raise ValueError(f"expected a SMILES string, got {smiles[:40]!r}")
    chem.Kekulize(made, clearAromaticFlags=True)
    if len(chem.GetMolFrags(made)) != 1:
        raise ValueError(f"expected one molecule, got {smiles[:40]!r}")
    if made.GetNumAtoms() > space.atoms:
        raise ValueError(f"expected at most {space.atoms} atoms, got {made.GetNumAtoms()}")
    elements, bonds = torch.zeros(1, space.atoms, dtype=torch.long), torch.zeros(1, space.atoms, space.atoms, dtype=torch.long)
    for atom in made.GetAtoms():
        if atom.GetSymbol() not in space.elements or atom.GetFormalCharge() or atom.GetNumRadicalElectrons() or atom.GetIsotope():
            raise ValueError(f"expected plain atoms of {', '.join(space.elements)} without a charge, got {atom.GetSymbol()}")
        elements[0, atom.GetIdx()] = 1 + space.elements.index(atom.GetSymbol())
    for bond in made.GetBonds():
        if bond.GetBondTypeAsDouble() not in range(1, space.bonds + 1):
            raise ValueError(f"expected bonds of order 1 to {space.bonds}, got {bond.GetBondType()}")
        one, other = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        bonds[0, one, other] = bonds[0, other, one] = int(bond.GetBondTypeAsDouble())
    return space.join(elements, bonds)[0]


def unsettled(space: Graphs, x: Tensor) -> Any:
    """RDKit's graph of one element, (*shape), as it is: its atoms in their order, nothing checked."""
    chem = molecule.rdkit()
    made, kinds = chem.RWMol(), (None, chem.BondType.SINGLE, chem.BondType.DOUBLE, chem.BondType.TRIPLE)
    places = {}
    for at, element in enumerate(x[: space.atoms].tolist()):
        if element:
            places[at] = made.AddAtom(chem.Atom(space.elements[element - 1]))
    for one, other, order in zip(*space.pairs.tolist(), x[space.atoms :].tolist(), strict=True):
        if order:
            made.AddBond(places[one], places[other], kinds[order])
    return made.GetMol()


def write(space: Graphs, x: Tensor) -> list[str]:
    """(n, *shape) -> of each its canonical string; empty for what is no molecule, or more than one, or none."""
    return [_written(space, row) for row in x]


def _written(space: Graphs, row: Tensor) -> str:
    chem, made = molecule.rdkit(), unsettled(space, row)
    if not made.GetNumAtoms() or chem.SanitizeMol(made, catchErrors=True) != chem.SanitizeFlags.SANITIZE_NONE:
        return ""
    text = chem.MolToSmiles(made)
    return "" if "." in text else text


def as_built(space: Graphs, row: Tensor) -> str:
    """The string of a graph, with its bonds as they are and whatever the order of its atoms: two are alike where their graphs are."""
    chem, made = molecule.rdkit(), unsettled(space, row)
    made.UpdatePropertyCache(strict=False)
    return chem.MolToSmiles(made)


def symmetries(space: Graphs, row: Tensor) -> int:
    """How many ways there are to lay a graph onto itself, the one that moves nothing among them."""
    made = unsettled(space, row)
    made.UpdatePropertyCache(strict=False)
    return len(made.GetSubstructMatches(made, uniquify=False, maxMatches=100_000))


def fault(space: Graphs, row: Tensor) -> str:
    """Why a graph is no molecule, in a few words."""
    chem, made = molecule.rdkit(), unsettled(space, row)
    if not made.GetNumAtoms():
        return "empty"
    if len(chem.GetMolFrags(made)) > 1:
        return "in pieces"
    made.UpdatePropertyCache(strict=False)
    return molecule.problem(made)


def pack(space: Graphs, frames: list[Tensor], columns: int) -> dict[str, Any]:
    """Frames of (n, *shape) -> as `molecule.pack` has strings: a part of a drawing is there from the frame on that has it."""
    films = torch.stack(frames)
    tiles = [_tile(space, films[:, i]) for i in range(films.shape[1])]
    says = [[tile["says"][at] for tile in tiles] for at in range(len(frames))]
    counts = [[at] * len(tiles) for at in range(len(frames))]
    for tile in tiles:
        del tile["says"]
    size = molecule.sheet(len(tiles), columns)
    return {"molecules": tiles, "letters": counts, "says": says, "columns": columns, **size}


def _tile(space: Graphs, film: Tensor) -> dict[str, Any]:
    """One molecule's film, (frames, *shape)."""
    last = film[-1]
    smiles, wrong = _written(space, last), ""
    if not smiles:
        wrong = fault(space, last)
    made = unsettled(space, last)
    elements, bonds = space.split(film)
    there = [at for at, element in enumerate(elements[-1].tolist()) if element]
    parts = []
    for atoms, path, element, filled in molecule.strokes(made):
        places = [there[atom] for atom in atoms]
        shown = (elements[:, places] > 0).all(1)
        if len(places) == 2 and not filled:
            shown &= bonds[:, places[0], places[1]] > 0
        parts.append([int(shown.long().argmax()) - 1, path, element, filled])
    says = [smiles if smiles and torch.equal(row, last) else as_built(space, row) for row in film]
    return {"smiles": smiles or as_built(space, last), "drawing": parts, "atoms": list(range(len(film) + 1)), "wrong": wrong, "says": says}
