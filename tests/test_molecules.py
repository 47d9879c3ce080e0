"""Molecules: a string and its graph are one, whatever the order of atoms; wishes are heard; what is no molecule says why."""

from __future__ import annotations

import random

import pytest
import torch

from dgm_models import catalog
from dgm_models.applications import molecules as m
from dgm_models.applications import proposals, typed
from dgm_models.contracts import Frame, Noise
from dgm_models.data import qm9, zinc
from dgm_models.families.strings import Strings, StringSettings
from dgm_models.modalities import molecule
from dgm_models.modalities.views import molecules as view
from dgm_models.networks.transformer import CausalTransformer
from dgm_models.ui.tabs import molecules as tab

DRUG_LIKE = "gpt-zinc"
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def test_a_molecule_is_one_string_whatever_the_order_of_its_atoms():
    from rdkit import Chem

    rng = random.Random(0)
    for smiles in (ASPIRIN, "OC1CC1C#N", "c1cc[nH]c1"):
        graph = Chem.MolFromSmiles(smiles)
        order = list(range(graph.GetNumAtoms()))
        rng.shuffle(order)
        other = Chem.MolToSmiles(Chem.RenumberAtoms(graph, order), canonical=False)
        assert molecule.canonical(other) == molecule.canonical(smiles)
        assert molecule.properties(other) == pytest.approx(molecule.properties(smiles))


def test_what_is_computed_is_what_is_known_of_aspirin():
    known = molecule.facts(ASPIRIN)
    assert known.formula == "C9H8O4"
    assert known.weight == pytest.approx(180.16, abs=0.01)
    assert known.surface == pytest.approx(63.6, abs=0.1)
    assert (known.atoms, known.rings) == (13, 1)


@pytest.mark.parametrize(
    ("smiles", "why"),
    [
        ("", "empty"),
        ("C1CC", "ring 1, from letter 2, stays open"),
        ("CC%12C", "ring 12, from letter 3, stays open"),
        ("C1CC1C(=O", "the ( at letter 7 stays open"),
        ("CO)C", "the ) at letter 3 closes nothing"),
        ("C[NH", "the [ at letter 2 stays open"),
        ("C(C", "stays open"),
        ("CC(C)(C)(C)C", "too many bonds at C, atom 2"),
        ("c1cccc1", "double bonds"),
    ],
)
def test_a_string_that_is_no_molecule_says_why(smiles, why):
    assert molecule.canonical(smiles) is None
    assert why in molecule.fault(smiles)
    assert m.told(smiles).wrong == molecule.fault(smiles)


def test_strings_are_counted_as_molecules_once_however_they_are_written():
    known = next(iter(qm9.learned()))
    found = m.shares([ASPIRIN, "O=C(C)Oc1ccccc1C(O)=O", known, "C(", ""])
    assert (found.count, found.valid, found.unique, found.new) == (5, 3, 2, 1)


def test_what_ships_is_parted_and_each_string_is_as_rdkit_writes_it():
    x, y = qm9.DATA.shown()
    texts = molecule.strings(qm9.SPACE, qm9.SPACE.read(x))
    assert len(qm9.learned()) == 120_742
    assert qm9.learned().isdisjoint(texts)
    assert [molecule.canonical(each) for each in texts] == texts
    assert y[3].tolist() == pytest.approx(molecule.properties(texts[3]))
    qm9.CONDITION.check(y, len(y))


def test_each_atom_has_its_letter_and_a_drawing_grows_with_them():
    assert molecule._atoms("C[nH]O(F)") == [0, 1, 2, 2, 2, 2, 3, 3, 4, 4]
    for smiles in (ASPIRIN, "OC1CC1C#N", "[O-][NH+]=C"):
        parts = molecule.drawing(smiles)
        assert max(part[0] for part in parts) == molecule._atoms(smiles)[-1] - 1
        assert all(path.startswith("M ") for _, path, _, _ in parts)
        letters = {element for _, _, element, filled in parts if filled}
        assert "O" in letters  # atoms of carbon have none


def test_files_are_read_by_their_own_parsers():
    from rdkit import Chem

    x = torch.stack([catalog.read(m.GPT, text)[0] for text in ("CCO", "C1CC", "CC#N")])
    shown = view(qm9.SPACE).pack([x], 3)
    assert [tile["wrong"] != "" for tile in shown["molecules"]] == [False, True, False]
    assert molecule.smiles_file(shown) == b"CCO\nCC#N\n"
    supplier = Chem.SDMolSupplier()
    supplier.SetData(molecule.sdf_file(shown).decode())
    assert [Chem.MolToSmiles(each) for each in supplier] == ["CCO", "CC#N"]
    picture = view(qm9.SPACE).paint(shown, 0)
    assert picture.shape == (molecule.SIDE, 3 * molecule.SIDE, 3)
    assert picture.min() < 100


def toy() -> Strings:
    torch.manual_seed(0)
    network = CausalTransformer(8, 4, width=32, depth=2, head=16, dropout=0.0, numbers=2)
    return Strings(network, qm9.Smiles(tuple("CNO"), 8), qm9.Numbers(("oxygen",), ((0.0, 1.0),)), drop=0.3)


def test_a_wish_is_heard_and_no_wish_is_both():
    """Strings of C where 0 is asked for, of O where 1 is."""
    model = toy()
    learner = torch.optim.Adam(model.parameters(), lr=3e-3)
    x = torch.full((64, 8), 3)
    x[:32, :4], x[32:, :4] = 0, 2
    y = torch.cat([torch.zeros(32, 1), torch.ones(32, 1)])
    for _ in range(80):
        learner.zero_grad()
        model.loss(x, y).backward()
        learner.step()
    model.eval()
    asked = lambda wish: model.sample(Noise(range(40)), wish)[:, 0]  # noqa: E731
    assert (asked(torch.zeros(40, 1)) == 0).float().mean() > 0.9
    assert (asked(torch.ones(40, 1)) == 2).float().mean() > 0.9
    free = asked(None)
    assert 0.2 < (free == 0).float().mean() < 0.8
    frames = list(model.trace(Noise(range(3))))
    assert len(frames) < 9  # until all have ended
    assert torch.equal(frames[-1].x, model.sample(Noise(range(3))))
    with pytest.raises(ValueError, match="oxygen: expected a number from 0 to 1"):
        model.sample(Noise([0]), torch.tensor([[2.0]]))


def test_the_model_writes_molecules_and_heeds_a_wish():
    made = m.drawn(m.GPT, 32, 1, StringSettings())
    assert m.shares(made.smiles).valid >= 28
    few, many = (m.drawn(m.GPT, 32, 1, StringSettings(), wish) for wish in ((0.0, 10.0, 6.0), (0.0, 60.0, 9.0)))
    surface = lambda drawn: torch.tensor([molecule.properties(each) for each in drawn.smiles if molecule.canonical(each)]).mean(0)  # noqa: E731
    assert surface(few)[1] + 20 < surface(many)[1]
    assert surface(few)[2] < 7.5 < surface(many)[2]
    with pytest.raises(ValueError, match="logP: expected a number"):
        m.drawn(m.GPT, 1, 1, StringSettings(), (99.0, 10.0, 6.0))


def test_drug_like_molecules_are_larger_and_most_of_them_are_molecules():
    made = m.drawn(DRUG_LIKE, 32, 1, StringSettings())
    found = m.shares(made.smiles)
    assert found.valid >= 24
    assert found.unique == found.valid
    sizes = [molecule.facts(each).atoms for each in made.smiles if molecule.canonical(each)]
    assert 18 < sum(sizes) / len(sizes) < 28  # 23 in the data
    assert not m.ships_whole(catalog.dataset(DRUG_LIKE).id)


# a piece that must be in it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "piece", "wish"),
    [(m.GPT, "C(=O)N", None), (m.GPT, "C1CC1", None), (m.GPT, "C#N", (-1.0, 60.0, 8.0)), (DRUG_LIKE, "S(=O)(=O)N", None)],
)
def test_a_piece_that_is_asked_for_is_in_every_molecule(id, piece, wish):
    made = m.with_piece(id, 8, 3, StringSettings(), piece, wish)
    assert sum(m.holds(text, piece) for text in made.smiles) >= (8 if id == m.GPT else 7)  # a long one is torn at times, ROUNDS times
    assert len(set(made.smiles)) > 4
    assert [m.canonical(text) for text in made.smiles] == [m.canonical(text) for text in catalog.write(id, made.frames[-1].x)]
    m.with_piece.cache_clear()
    assert made.smiles == m.with_piece(id, 8, 3, StringSettings(), piece, wish).smiles
    grown = [(frame.x != catalog.dataset(id).space.end).sum(1) for frame in made.frames]
    assert all(((later - earlier) <= 1).all() for earlier, later in zip(grown[:-1], grown[1:], strict=True))


@pytest.mark.parametrize(("piece", "says"), [("CS", "spells with"), ("C(", "stays open"), ("C" * 13, "13 letters"), ("", "empty")])
def test_a_piece_that_cannot_be_is_refused(piece, says):
    with pytest.raises(ValueError, match=f"Must be in it: .*{says}"):
        m.with_piece(m.GPT, 2, 3, StringSettings(), piece)


def test_a_body_has_all_atoms_hydrogen_with_them_and_bonds_of_a_length_that_bonds_have():
    body = molecule.solid("OCC#CC1CO1")
    assert sorted(atom[0] for atom in body["atoms"]) == sorted("CCCCCOOHHHHHH")
    for one, other, order in body["bonds"]:
        apart = sum((a - b) ** 2 for a, b in zip(body["atoms"][one][1:], body["atoms"][other][1:], strict=True)) ** 0.5
        assert 0.9 < apart < 1.7
        assert 1 <= order <= 3
    assert molecule.solid("OCC#CC1CO1") == body


def test_what_cannot_be_shown_in_space_is_not_and_takes_no_time():
    assert molecule.solid("C" * 40) is None
    known, _ = typed.read("CC(C)CCCC(C)C1CCC2C1(CCC3C2CC=C4C3(CCC(C4)O)C)C")  # cholesterol
    assert known.facts.formula == "C27H46O"


def test_a_graph_that_is_no_molecule_says_what_it_is():
    x = catalog.read("gflownet-qm9", "CO")
    x[0, 9] = 3
    made = m.Drawn("gflownet-qm9", [Frame(x, "")], catalog.write("gflownet-qm9", x), None, None)
    told = m.told_drawn(made, 0)
    assert told.smiles == "C#O"
    assert told.wrong == "too many bonds at O, atom 2"


def test_the_molecules_of_zinc_that_ship_are_as_rdkit_writes_them_and_have_no_hands():
    texts = molecule.strings(zinc.SPACE, zinc.SPACE.read(zinc.DATA.shown()[0]))
    assert len(texts) == 1000
    assert all(molecule.unhanded(text) == text for text in texts[:50])
    told = m.told(texts[0], "zinc")
    assert told.new is None
    assert told.alike == 1
    assert typed.read(texts[0], data="zinc")[0] == told
    assert typed.read(texts[0])[0].nearest != told.nearest  # beside the molecules of QM9
    with pytest.raises(ValueError, match="SMILES"):
        molecule.unhanded("C(")


def test_how_unlike_molecules_are():
    assert m.unlike(["CCO", "OCC"]) == 0
    assert m.unlike(["CCO"]) == 0
    assert 0.5 < m.unlike(["CCO", "c1ccoc1"]) <= 1


# typed by a person ----------------------------------------------------------------------------------------------------


def mutated(count: int) -> list[str]:
    """Strings of molecules with letters changed, left out, doubled; and some that are nothing at all."""
    rng, letters = random.Random(1), "()[]=#+-123456789CNOFHcnoSPBrI@/\\%.*:$"
    texts = molecule.strings(qm9.SPACE, qm9.SPACE.read(qm9.DATA.shown()[0]))
    made = ["C(" * 50, "[" * 90, "c1" * 50, "[999C]", "[Fe+++++]", "C" * 120, "%99", "1", "()", "C%", "[nH]1" * 9]
    while len(made) < count:
        text = list(rng.choice(texts) + rng.choice(["", "CC", "c1ccccc1", ".", "[Na+]"]))
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(text))
            text[at : at + rng.randrange(2)] = rng.choice(letters) * rng.randrange(1, 4)
        made.append("".join(text)[: typed.MOST])
    return made


def test_hostile_strings_get_an_answer_or_a_sentence_and_the_next_one_works():
    for text in mutated(150):
        try:
            known, _ = typed.read(text)
        except ValueError as error:
            assert str(error).startswith("Molecule: ")  # noqa: PT017
        else:
            assert known.wrong or known.facts
    known, parts = typed.read(f" {ASPIRIN} ")
    assert known == m.told(ASPIRIN)
    assert parts == [list(part) for part in molecule.drawing(ASPIRIN)]


@pytest.mark.parametrize("text", ["", None, "C" * 121, "C\x00C", "Ć", "C\nC", 5])
def test_what_is_no_string_of_plain_letters_is_refused(text):
    with pytest.raises(ValueError, match="expected a SMILES string of 1 to 120 plain letters"):
        typed.read(text)


def test_a_string_that_takes_too_long_is_given_up_and_the_next_one_is_read(monkeypatch):
    reader = typed.Reader()
    monkeypatch.setattr(typed, "SECONDS", 0.0)
    with pytest.raises(ValueError, match="took too long"):
        reader.ask("CCO")
    assert reader._process is None
    monkeypatch.setattr(typed, "START", 0.0)
    with pytest.raises(ValueError, match="took too long"):  # nor does a process that is slow to begin bring anything down
        reader.ask("CCO")
    assert reader._process is None
    monkeypatch.setattr(typed, "START", 60.0)
    monkeypatch.setattr(typed, "SECONDS", 30.0)
    assert reader.ask("CCO")["told"]["facts"]["formula"] == "C2H6O"
    reader.end()


def test_each_letter_of_a_string_costs_and_together_they_are_its_probability():
    letters, nats = m.surprise(m.GPT, "CC(=O)NC")
    assert letters == [*"CC(=O)NC", m.END]
    assert float(nats.sum()) == pytest.approx(-float(catalog.load(m.GPT).log_prob(catalog.read(m.GPT, "CC(=O)NC"))[0]), rel=1e-5)
    with pytest.raises(ValueError, match="The model spells with"):
        m.surprise(m.GPT, "CS")


def test_a_typed_string_costs_what_the_model_that_is_chosen_says():
    assert list(m.spellers().values()) == [DRUG_LIKE, m.GPT]  # what spells the most comes first
    (by_drugs, told), (by_qm9, _) = (tab._read(ASPIRIN, id) for id in m.spellers().values())
    assert "nats in all" in by_drugs
    assert "in QM9" not in told
    assert "nats in all" in by_qm9
    assert by_drugs != by_qm9
    assert "The model spells with" in tab._read("CCS", m.GPT)[0]
    assert "nats in all" in tab._read("CCS", DRUG_LIKE)[0]


def test_a_drawn_piece_is_the_string_of_its_atoms_and_bonds():
    drawn = {"atoms": [["C", 10, 10], ["O", 40, 10], ["N", 10, 40]], "bonds": [[0, 1, 2], [0, 2, 1]]}
    assert molecule.canonical(tab._as_typed(drawn)) == molecule.canonical("NC=O")
    ring = {"atoms": [["C", 0, 0]] * 3, "bonds": [[0, 1, 1], [1, 2, 1], [2, 0, 1]]}
    assert molecule.canonical(tab._as_typed(ring)) == molecule.canonical("C1CC1")
    assert tab._as_typed({"atoms": [], "bonds": []}) == ""


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "Piece: expected at most 12 atoms"),
        ({"atoms": [["C", 0, 0]] * 13, "bonds": []}, "Piece: expected at most 12 atoms"),
        ({"atoms": [["Xe", 0, 0]], "bonds": []}, "Atom: expected one of C, N, O, F"),
        ({"atoms": [7], "bonds": []}, "Atom: expected one of C, N, O, F"),
        ({"atoms": [["C", 0, 0]] * 2, "bonds": [[0, 5, 1]]}, "Atom: expected a whole number from 0 to 1"),
        ({"atoms": [["C", 0, 0]] * 2, "bonds": [[0, 1, 9]]}, "Order: expected a whole number from 1 to 3"),
        ({"atoms": [["C", 0, 0]] * 2, "bonds": [[0, 0, 1]]}, "Bond: expected one at most"),
        ({"atoms": [["C", 0, 0]] * 2, "bonds": [[0, 1]]}, "Bond: expected two atoms and an order"),
        ({"atoms": [["C", 0, 0]] * 2, "bonds": []}, "Piece: it lies in parts"),
        ({"atoms": [["F", 0, 0]] * 2, "bonds": [[0, 1, 2]]}, "Piece: too many bonds at F"),
        (
            {"atoms": [["C", 0, 0]] * 5 + [["O", 0, 0]] * 2, "bonds": [[0, i, 1] for i in range(1, 5)] + [[4, 5, 2], [4, 6, 1]]},
            "Piece: it is too large",
        ),
    ],
)
def test_what_no_pad_draws_is_refused(value, says):
    with pytest.raises(ValueError, match=says):
        tab._as_typed(value)


def test_a_policy_is_looked_at_four_times_whatever_the_steps_and_no_string_is_paid_for_being_none():
    *_, last = proposals.tuned((0.0, 0.0, 0.0, 0.0, -1.0), 3, proposals.PolicySettings(steps=7))
    assert [step for step, _ in last.stages] == [0, 2, 4, 6, 7]
    assert len(last.reports) == 7
    assert last.over
    assert all(-1 <= report.reward < -0.5 for report in last.reports)  # of nine atoms, or of none: a string that is none earns no more
    with pytest.raises(ValueError, match="expected 5 weights from -1 to 1"):
        next(proposals.tuned((2.0, 0.0, 0.0, 0.0, 0.0), 3, proposals.PolicySettings()))
