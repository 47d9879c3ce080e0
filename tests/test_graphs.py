"""Molecules as graphs: a graph and its string are one; a GFlowNet without imbalance draws in proportion to its reward; MolGAN and the VAE
of strings keep what their families promise."""

from __future__ import annotations

import pytest
import torch

from dgm_models import catalog
from dgm_models.conditions import Numbers
from dgm_models.contracts import Noise
from dgm_models.data import qm9
from dgm_models.evaluation.molecules import all_of, chances
from dgm_models.families.graph_gflownet import GraphGFlowNet
from dgm_models.families.molgan import MolGAN
from dgm_models.families.string_vae import StringVAE
from dgm_models.likelihoods import Categorical
from dgm_models.modalities import elements, graph, molecule
from dgm_models.modalities.views import view_of
from dgm_models.networks.graph import GraphPolicy, MolecularGame, distances
from dgm_models.networks.sequence import SequenceAutoencoder
from dgm_models.spaces import Graphs, Selfies

SMALL = Graphs(("C", "O"), (4, 2), 3)
WISHES = Numbers(molecule.GOALS, ((-1.0, 1.0),) * 5)
SOME = ("C", "OCC#CC1CO1", "Cc1cccnc1O", "CC1CC1C(N)=O", "C1C2CC12", "N#CC(F)F")


def shuffled(x, seed=0):
    """The same graphs with their atoms in another order."""
    elements_, bonds = qm9.GRAPHS.split(x)
    count = int((elements_ > 0).sum())
    order = torch.arange(qm9.GRAPHS.atoms)
    order[:count] = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return qm9.GRAPHS.join(elements_[:, order], bonds[:, order][:, :, order])


@pytest.mark.parametrize("smiles", SOME)
def test_a_graph_and_its_string_are_one_molecule_whatever_the_order_of_atoms(smiles):
    x = elements.read(qm9.GRAPHS, [smiles])
    again = shuffled(x)
    assert elements.write(qm9.GRAPHS, x) == elements.write(qm9.GRAPHS, again) == [molecule.canonical(smiles)]
    assert graph.as_built(qm9.GRAPHS, x[0]) == graph.as_built(qm9.GRAPHS, again[0])
    assert graph.symmetries(qm9.GRAPHS, x[0]) == graph.symmetries(qm9.GRAPHS, again[0])
    assert torch.equal(qm9.GRAPHS.join(*qm9.GRAPHS.split(x)), x)


def test_symmetries_are_counted():
    counts = {"C": 1, "CC": 2, "CCC": 2, "CO": 1, "C1CC1": 6, "CC(C)(C)C": 24, "C1=CC1": 2}
    for smiles, count in counts.items():
        assert graph.symmetries(qm9.GRAPHS, elements.read(qm9.GRAPHS, smiles)[0]) == count, smiles


@pytest.mark.parametrize(
    ("smiles", "says"),
    [
        ("CCS", "C, N, O, F"),
        ("C[NH3+]", "without a charge"),
        ("C" * 10, "at most 9 atoms"),
        ("C(", "a SMILES string"),
        ("[CH2]C", "plain atoms"),
        ("[13CH4]", "plain atoms"),
        ("C.C", "one molecule"),
        ("", "one molecule"),
    ],
)
def test_what_has_no_room_among_graphs_is_refused(smiles, says):
    with pytest.raises(ValueError, match=says):
        elements.read(qm9.GRAPHS, smiles)


def test_a_space_of_graphs_refuses_bonds_without_atoms_and_numbers_that_mean_nothing():
    x = elements.read(qm9.GRAPHS, "CCO")
    for place, value in ((-1, 1), (0, 5), (9, 4), (1, -1)):
        bad = x.clone()
        bad[0, place] = value
        with pytest.raises(ValueError, match="expected"):
            qm9.GRAPHS.check(bad)
    with pytest.raises(ValueError, match="whole numbers"):
        qm9.GRAPHS.check(x.float())


def test_a_graph_that_is_no_molecule_says_why_and_has_no_string():
    x = elements.read(qm9.GRAPHS, "CO").repeat(2, 1)
    x[0, 9] = 3  # a triple bond to oxygen
    x[1, 9] = 0
    assert elements.write(qm9.GRAPHS, x) == ["", ""]
    assert graph.fault(qm9.GRAPHS, x[0]) == "too many bonds at O, atom 2"
    assert graph.fault(qm9.GRAPHS, x[1]) == "in pieces"
    shown = view_of(qm9.GRAPHS).pack([x], 2)
    assert [tile["wrong"] for tile in shown["molecules"]] == ["too many bonds at O, atom 2", "in pieces"]


def test_distances_are_numbers_of_bonds():
    _, bonds = qm9.GRAPHS.split(elements.read(qm9.GRAPHS, "CCCCCCCO"))
    away = distances(bonds > 0)[0]
    assert away[0, :8].tolist() == [0, 1, 2, 3, 4, 5, 5, 5]
    assert away[0, 8] == 5  # no such atom


# the GFlowNet ---------------------------------------------------------------------------------------------------------


def gflownet(space=SMALL, width=32) -> GraphGFlowNet:
    torch.manual_seed(0)
    model = GraphGFlowNet(GraphPolicy(space.atoms, len(space.elements) + 1, 4, 6, width, 2), space, WISHES)
    for p in model.parameters():  # last layers of zeros would make all policies alike
        p.data += 0.1 * torch.randn_like(p)
    return model.eval()


def test_all_ways_forth_can_be_gone_back_and_all_ways_back_forth():
    model = gflownet()
    x, ways = all_of(model, 3)
    names = [graph.as_built(SMALL, row) for row in x]
    assert len(set(names)) == len(names) == 22  # nothing at all among them
    assert all(elements.write(SMALL, x[1:]))
    assert model.builds(x[1:]).all()
    forth = {(int(one), int(other)) for one, other, _ in ways}
    back = set()
    for child in range(1, len(x)):
        atoms, bonds = SMALL.split(x[child : child + 1])
        for away in model.undone(atoms, bonds)[0].nonzero()[:, 0]:
            before, without, action = model.before(atoms, bonds, away[None])
            assert model.allowed(before, without)[0, action]
            again = SMALL.join(*model.after(before, without, action))
            assert graph.as_built(SMALL, again[0]) == names[child]
            back.add((names.index(graph.as_built(SMALL, SMALL.join(before, without)[0])), child))
    assert forth == back


@pytest.mark.parametrize("wish", [None, [[0.5, -0.5, 0.2, 0.0, -1.0]]])
def test_its_chances_of_all_molecules_sum_to_one_and_are_those_it_draws_with(wish):
    model, y = gflownet(), None if wish is None else torch.tensor(wish)
    x, ways = all_of(model, 3)
    log_p = chances(model, x, ways, y)
    assert float(log_p.exp().sum()) == pytest.approx(1, abs=1e-5)
    drawn = model.sample(Noise(range(3000)), None if y is None else y.expand(3000, -1))
    names = [graph.as_built(SMALL, row) for row in drawn]
    for row, log_chance in zip(x[1:], log_p[1:], strict=True):
        share = float(log_chance.exp())
        assert abs(names.count(graph.as_built(SMALL, row)) / 3000 - share) < 0.01 + 4 * (share / 3000) ** 0.5
    rows = x[1:]
    estimate = model.log_prob(rows, None if y is None else y.expand(len(rows), -1), k=100)
    assert (estimate - log_p[1:]).abs().max() < 0.5


def test_without_imbalance_it_draws_in_proportion_to_the_reward():
    model = gflownet(width=48).train()
    x, ways = all_of(model, 3)
    reached = torch.tensor([molecule.goals(text) for text in elements.write(SMALL, x[1:])])
    learner, wish = torch.optim.Adam(model.parameters(), lr=3e-3), torch.tensor([[0.5, -0.5, 0.2, 0.0, -0.6]])
    chance = torch.Generator().manual_seed(0)

    def apart() -> tuple[float, float]:
        log_p = chances(model, x, ways, wish)[1:].float()
        log_r = model.log_reward(WISHES.check(wish, 1), reached)
        return float(torch.corrcoef(torch.stack([log_p, log_r]))[0, 1]), float((log_p - log_r.log_softmax(0)).abs().mean())

    before = apart()
    for _ in range(120):
        rows = torch.randint(0, len(reached), (24,), generator=chance)
        learner.zero_grad()
        model.loss(x[1:][rows], reached[rows]).backward()
        learner.step()
    after = apart()
    assert after[0] > 0.9
    assert after[1] < 0.6 * before[1]


def test_parts_of_molecules_are_molecules_of_all_sizes_and_what_they_are_of_stays():
    model = gflownet(qm9.GRAPHS)
    x = elements.read(qm9.GRAPHS, ["OCC#CC1CO1"]).repeat(200, 1)
    before = x.clone()
    torch.manual_seed(0)
    parts = model.part_of(x)
    assert torch.equal(x, before)
    assert all(elements.write(qm9.GRAPHS, parts))
    sizes = (parts[:, :9] > 0).sum(1)
    assert set(sizes.tolist()) == set(range(1, 8))
    assert model.builds(parts).all()


def test_one_wanders_to_molecules_of_all_sizes_and_to_small_rings():
    model = gflownet(qm9.GRAPHS)
    torch.manual_seed(0)
    x = model.wander(400, torch.device("cpu"))
    texts = elements.write(qm9.GRAPHS, x)
    assert all(texts)
    assert model.builds(x).all()
    assert set((x[:, :9] > 0).sum(1).tolist()) == set(range(1, 10))
    small = [text for text, row in zip(texts, x, strict=True) if (row[:9] > 0).sum() <= 4]
    assert sum("1" in text for text in small) > 0.1 * len(small)


def test_what_cannot_be_built_has_no_chance_and_the_rest_of_a_batch_keeps_its_own():
    model = gflownet(qm9.GRAPHS)
    x = elements.read(qm9.GRAPHS, ["CCO", "C=C=C", "COOC", "CC#N"])
    found = model.log_prob(x)
    assert torch.isfinite(found).tolist() == [True, False, False, True]
    assert float(model.log_prob(x[3:])) == pytest.approx(float(found[3]), abs=1e-4)
    for bad in (0, -1, 1.5, 5000):
        with pytest.raises(ValueError, match="k: expected 1 to 1000 ways"):
            model.log_prob(x, k=bad)


def test_a_film_adds_an_atom_or_a_ring_at_a_time_and_each_moment_is_a_molecule():
    model = gflownet(qm9.GRAPHS)
    frames = [frame.x for frame in model.trace(Noise(range(6)), torch.tensor([[0.0, 0, 0, 1, 1]]).expand(6, -1))]
    assert not frames[0].any()
    for one, other in zip(frames[:-1], frames[1:], strict=True):
        assert all(elements.write(qm9.GRAPHS, other))
        gained = (other > 0).sum(1) - (one > 0).sum(1)
        assert ((gained >= 0) & (gained <= 2)).all()  # an atom comes with a bond
    shown = view_of(qm9.GRAPHS).pack(frames, 3)
    assert shown["says"][-1] == [tile["smiles"] for tile in shown["molecules"]]
    assert all(0 <= part[0] < len(frames) for tile in shown["molecules"] for part in tile["drawing"])
    with pytest.raises(ValueError, match="rings: expected a number from -1 to 1"):
        model.sample(Noise([0]), torch.tensor([[0.0, 0, 0, 2, 0]]))


# MolGAN ---------------------------------------------------------------------------------------------------------------


def molgan(**how) -> MolGAN:
    torch.manual_seed(0)
    return MolGAN(MolecularGame(9, 5, 4, 6, 6, latent=8, width=32, critic_width=16), qm9.GRAPHS, WISHES, **how)


def test_each_player_s_loss_is_finite_and_teaches_all_of_it():
    model, x = molgan(free=0.0), elements.read(qm9.GRAPHS, list(SOME))
    model.age(0.5)
    y = torch.tensor([molecule.goals(text) for text in SOME])
    for player, part in model.players().items():
        model.zero_grad()
        model.requires_grad_(False)
        part.requires_grad_(True)
        loss = model.loss(x, y, player)
        loss.backward()
        assert torch.isfinite(loss)
        for name, p in part.named_parameters():
            assert p.grad is not None or "leave.bias" in name, (player, name)
    with pytest.raises(ValueError, match="expected player"):
        model.loss(x, y, "judge")


def test_a_critic_of_graphs_does_not_mind_the_order_of_atoms():
    model, x = molgan().eval(), elements.read(qm9.GRAPHS, ["OCC#CC1CO1"])
    one, other = (model.network.critic(*model._shares(each)) for each in (x, shuffled(x, 3)))
    assert (one - other).abs().max() < 1e-4


def test_graphs_that_are_made_live_in_their_space_and_what_is_paid_is_what_rdkit_says():
    model = molgan().eval()
    made = model.sample(Noise(range(40)))
    qm9.GRAPHS.check(made)
    assert torch.equal(model.sample(Noise([7])), made[7:8])
    x = elements.read(qm9.GRAPHS, ["CCO", "CO"])
    x[1, 9] = 3
    assert model.paid(x)[0].tolist() == pytest.approx([1.0, *molecule.goals("CCO")])
    assert model.paid(x)[1].tolist() == [0.0] * 6


def test_the_reward_has_its_say_after_the_free_share():
    model = molgan(free=0.5, trade=0.1)
    says = []
    for share in (0.0, 0.49, 0.5, 1.0):
        model.age(share)
        says.append(model.trade)
    assert says == [1.0, 1.0, 0.1, 0.1]


# SELFIES --------------------------------------------------------------------------------------------------------------


def test_every_row_of_tokens_is_a_molecule():
    space = qm9.SELFIES
    tokens = torch.randint(0, space.end, (60, space.length), generator=torch.Generator().manual_seed(0))
    texts = elements.write(space, tokens)
    assert all(molecule.canonical(text) == text for text in texts if text)
    assert sum(bool(text) for text in texts) > 50
    for smiles in SOME:
        assert elements.write(space, elements.read(space, smiles)) == [molecule.canonical(smiles)]
    for bad in ("CCS", "C(", "*C", "FI(F)F"):
        with pytest.raises(ValueError, match="expected"):
            elements.read(space, bad)
    with pytest.raises(ValueError, match="expected tokens of"):
        space.split("[C]C")


def test_a_likelihood_of_tokens_sums_to_one_and_ends_once():
    likelihood = Categorical(Selfies(("[C]", "[O]"), 2))
    out = torch.randn(1, 3, 2, generator=torch.Generator().manual_seed(1))
    every = torch.tensor([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [2, 2]])  # all that there are: after the end comes the end
    assert float(likelihood.log_prob(every, out.expand(7, -1, -1)).exp().sum()) == pytest.approx(1, abs=1e-5)
    only_end = torch.zeros(1, 3, 2)
    only_end[0, 2, 0], only_end[0, 0, 1] = 9.0, 9.0
    assert likelihood.mean(only_end).tolist() == [[2, 2]]
    with pytest.raises(ValueError, match="no mean"):
        likelihood.moments(out)


def test_a_vae_of_strings_learns_codes_and_gives_rows_their_own(tmp_path):
    torch.manual_seed(0)
    space = qm9.SELFIES
    model = StringVAE(SequenceAutoencoder(4, space.length, space.end + 1, 32, 1), space, 4)
    x = elements.read(space, list(SOME) * 4)
    learner = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        learner.zero_grad()
        losses.append(model.loss(x))
        losses[-1].backward()
        learner.step()
    assert losses[-1] < 0.7 * losses[0]
    assert all(p.grad is not None for p in model.parameters())
    model.eval()
    made = model.sample(Noise(range(6)))
    space.check(made)
    assert torch.equal(model.sample(Noise([3])), made[3:4])
    space.check(model.decode(model.encode(x[:3])))
    assert torch.isfinite(model.log_prob(x[:3])).all()
    frames = list(model.trace(Noise([1]), None, model.Settings(pixels="drawn")))
    assert "each token drawn" in frames[-1].note


def test_the_data_sets_of_qm9_write_the_same_molecules():
    strings = qm9._parts()[1][:40]
    kept = [text for text in strings if not set(text) & set("+-")]
    x, y = qm9._graphs(strings)
    assert elements.write(qm9.GRAPHS, qm9.GRAPHS.read(x)) == kept
    assert y[0].tolist() == pytest.approx(molecule.goals(kept[0]))
    qm9.WEIGHTS.check(y, len(y))
    assert elements.write(qm9.SELFIES, qm9.SELFIES.read(qm9._selfies(strings)[0])) == kept


def test_the_models_that_ship_are_of_one_data_set():
    assert set(catalog.models_for("sample", data="qm9-graphs")) <= set(catalog.models_for("sample", data="qm9"))
    assert "qm9-graphs" not in catalog.data_sets()
    assert list(catalog.across("gflownet-mnist")) == ["mnist"]  # a model of molecules is no model of digits on other data
