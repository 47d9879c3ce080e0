"""Boltzmann machines and the belief network: against sums over all states, and what a chain may and may not move."""

from __future__ import annotations

import itertools
from copy import deepcopy

import pytest
import torch

from dgm_models.contracts import Noise
from dgm_models.families.belief import ALL, FIRST, DeepBelief, GrowingBelief
from dgm_models.families.boltzmann import BoltzmannMachine, DeepBoltzmann
from dgm_models.measurements import Hide
from dgm_models.networks.boltzmann import GRID, JOINED, Belief, Layers, beta_at, share_at
from dgm_models.spaces import Pixels
from dgm_models.sweeps import (
    Bits,
    Chains,
    balance,
    drawing,
    dream,
    holding,
    log_given,
    log_marginal,
    log_partition,
    mean_field,
    start,
    units_of,
)
from dgm_models.training.loop import train
from tests.conftest import PLANE, TINY, toy_data

SIZES = ([6, 5], [6, 4, 3], [5, 3, 4, 2])
each_depth = pytest.mark.parametrize("sizes", SIZES)


def machine(sizes: list[int], strength: float = 1.0) -> Layers:
    """With weights by chance that are strong enough to matter."""
    torch.manual_seed(1)
    network = Layers(sizes, classes=2).requires_grad_(False)
    network.start_at(torch.rand(sizes[0]))
    for p in network.parameters():
        p += strength * torch.randn_like(p)
    network.weights[-1] /= 5
    return network


def all_states(sizes: list[int], label: int) -> list[torch.Tensor]:
    bits = torch.tensor(list(itertools.product([0.0, 1.0], repeat=sum(sizes))))
    return [*bits.split(sizes, 1), torch.eye(2)[[label]].expand(len(bits), -1)]


def log_sum(network: Layers, sizes: list[int], label: int) -> float:
    return float(network.log_weights(all_states(sizes, label))[:, 0].double().logsumexp(0))


def learned(model: BoltzmannMachine | DeepBelief, share: float) -> set[str]:
    """The parameters of the network that a step at that share of training moves."""
    x, y = torch.rand(64, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 2
    model.zero_grad()
    model.age(share)
    model.loss(x, y).backward()
    return {name for name, p in model.network.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}


@each_depth
def test_offsets_that_follow_their_units_leave_states_as_likely_as_they_were(sizes):
    network, states = machine(sizes), all_states(sizes, 1)
    before = network.log_weights(states)[:, 0].log_softmax(0)
    means = [torch.full((3, size), 0.9) for size in network.sizes]
    for _ in range(3):
        network.follow(means, share=0.5)
    torch.testing.assert_close(network.log_weights(states)[:, 0].log_softmax(0), before, atol=1e-4, rtol=0)
    assert torch.allclose(network.offset(1), torch.tensor(0.85)), "half of the way from a half to 0.9, three times"
    other = network.log_weights(all_states(sizes, 0))[:, 0].logsumexp(0) - network.log_weights(states)[:, 0].logsumexp(0)
    assert float(other) == pytest.approx(log_sum(machine(sizes), sizes, 0) - log_sum(machine(sizes), sizes, 1), abs=1e-3)


def test_a_pair_of_layers_is_what_the_whole_is_without_the_others():
    """The lowest pair where no other weights are; the highest, but for what is below, by its labels."""
    network = machine([5, 4, 3])
    network.follow([torch.full((1, size), 0.7) for size in network.sizes], share=1.0)
    low, high = network.pair(0), network.pair(1)
    assert (low.sizes, low.classes, high.sizes, high.classes) == ([5, 4], 0, [4, 3, 2], 2)
    for weight in network.weights[1:]:
        weight.zero_()
    all_three = all_states([5, 4, 3], 1)
    pair = [*all_three[:2], all_three[0][:, :0]]
    torch.testing.assert_close(network.log_weights(all_three, (2,))[:, 0].log_softmax(0), low.log_weights(pair)[:, 0].log_softmax(0))
    on = high.chances([torch.zeros(0, 4), torch.full((1, 3), 0.7), torch.full((1, 2), 0.5)], 0)
    torch.testing.assert_close(on, torch.full((1, 4), 0.7))  # as its offset says, when all others are at theirs
    high.follow([torch.full((1, size), 0.2) for size in high.sizes], share=1.0)
    assert torch.allclose(network.offset(2), torch.tensor(0.2)), "offsets are shared"
    assert all(ours is theirs for ours, theirs in zip(high.weights, network.weights[1:], strict=True))


def test_the_deep_machine_learns_pair_by_pair_and_then_as_one():
    model = DeepBoltzmann(Layers([16, 8, 6], 2, centred=True), TINY, classes=2, telling=1.0, greedy=(0.3, 0.6))
    assert learned(model, 0.0) == {"weights.0", "biases.0", "biases.1"}
    assert learned(model, 0.3) == {"weights.1", "weights.2", "biases.2", "telling"}
    again = DeepBoltzmann(Layers([16, 8, 6], 2, centred=True), TINY, classes=2, greedy=(0.3, 0.6))
    again.load_state_dict(deepcopy(model.state_dict()))  # a run that was interrupted here
    before = [w.detach().clone() for w in model.network.weights]
    assert learned(model, 0.6) == {name for name, _ in model.network.named_parameters()}
    for k, share in enumerate((1.0, JOINED, 1.0)):
        torch.testing.assert_close(model.network.weights[k].detach(), share * before[k])
    assert not torch.equal(model.network.centres, torch.full((14,), 0.5))
    for share in (0.7, 0.8):  # once, however often it is told
        again.age(share)
        torch.testing.assert_close(again.network.weights[1].detach(), JOINED * before[1])
    with pytest.raises(ValueError, match="for each of 2"):
        DeepBoltzmann(Layers([16, 8, 6], 2, centred=True), TINY, classes=2, greedy=(0.3,))


def test_chains_begin_with_what_they_are_given_as_often_as_needed():
    begin = [torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.eye(2)]
    chains = Chains(5)
    for state, given in zip(chains.go_on(machine([3, 2]), 0, begin), begin, strict=True):
        assert torch.equal(state, given[[0, 1, 0, 1, 0]])
    assert chains.go_on(machine([3, 2]), 0, [1 - given for given in begin]) is chains.states, "those that run go on"
    assert torch.equal(chains.states[0], begin[0][[0, 1, 0, 1, 0]])


@pytest.mark.parametrize("moved", [False, True], ids=["offsets of a half", "offsets that moved"])
@each_depth
def test_annealed_importance_sampling_finds_the_enumerated_constant(sizes, moved):
    network, generator = machine(sizes), torch.Generator().manual_seed(0)
    if moved:
        network.follow([torch.rand(1, size, generator=generator) for size in network.sizes], share=1.0)
    for label in (0, 1):
        labels = torch.eye(2)[[label]].expand(2000, -1)
        way = log_partition(network, labels, 400, lambda units: torch.rand(2000, units, generator=generator))
        mean = way[-1].logsumexp(0) - torch.tensor(2000.0).log()
        error = (way[-1] - mean).exp().std() / 2000**0.5
        assert error < 0.05
        assert abs(mean - log_sum(network, sizes, label)) < 4 * error + 0.002


@each_depth
def test_log_weights_sum_over_layers_as_an_enumeration_does(sizes):
    """Summed by formula over every second layer, or state by state: the same."""
    network, states = machine(sizes), all_states(sizes, 1)
    whole = log_sum(network, sizes, 1)
    for parity in (0, 1):
        summed = list(range(parity, len(sizes), 2))
        copies = sum(size for layer, size in enumerate(sizes) if layer in summed)
        each = network.log_weights(states, summed)[:, 0].double()  # every state of the others, as often as there are states summed over
        assert each.logsumexp(0).item() - copies * torch.tensor(2.0).log().item() == pytest.approx(whole, abs=1e-4)


@each_depth
def test_probabilities_of_all_pictures_sum_to_one_or_less(sizes):
    network, n = machine(sizes, 0.6), sizes[0]
    balance(network, 400, 400)
    v = torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)))
    for label in (0, 1):
        total = log_given(network, v, torch.full((len(v),), label), 50, Noise(range(len(v)))).exp().sum().item()
        assert total < 1.03
        assert total > (0.97 if len(sizes) == 2 else 0.8)  # a bound from below, where there are layers to infer


@each_depth
def test_after_balancing_labels_are_equally_likely_at_every_heat(sizes):
    network = machine(sizes)
    balance(network, 1000, 400)
    for beta in (0.0, 0.3, 0.8, 1.0):
        sums = []
        for label in (0, 1):
            states = all_states(sizes, label)
            sums.append(network.log_weights(states, (), (beta,))[:, 0].double().logsumexp(0))
        assert abs(sums[0] - sums[1]) < 0.1, beta


def test_betas_and_shares_are_inverse():
    for share in (0.0, 0.2, 0.5, 1.0):
        assert share_at(beta_at(share)) == pytest.approx(share)
    assert beta_at(1 / GRID) < 0.06


@pytest.mark.parametrize("given", [True, False])
@each_depth
def test_a_long_chain_visits_states_as_often_as_their_energy_says(sizes, given):
    network, generator = machine(sizes, 0.6), torch.Generator().manual_seed(0)
    labels = torch.eye(2)[[0]].expand(4000, -1) if given else torch.zeros(4000, 2)
    draw = drawing(network, lambda units: torch.rand(4000, units, generator=generator), holding(network, labels))
    states = start(network, 4000, draw)
    for _ in range(100):
        states = network(states[0], states[1:], draw)
    every = all_states(sizes, 0)
    if not given:
        every = [torch.cat(both) for both in zip(every, all_states(sizes, 1), strict=True)]
    share = network.log_weights(every)[:, 0].softmax(0)
    for layer in range(len(sizes) + 1):
        expected = (share[:, None] * every[layer]).sum(0)
        assert (states[layer].mean(0) - expected).abs().max() < 0.05


def test_mean_field_of_a_restricted_machine_is_exact():
    network, sizes = machine([6, 5]), [6, 5]
    v = torch.tensor([[1.0, 0, 1, 1, 0, 0]])
    every = all_states(sizes, 1)
    here = (every[0] == v).all(1)
    share = network.log_weights([state[here] for state in every])[:, 0].softmax(0)
    _, hidden, _ = mean_field(network, v, torch.tensor([[0.0, 1.0]]))
    assert torch.allclose(hidden[0], (share[:, None] * every[1][here]).sum(0), atol=1e-5)


def test_the_label_of_a_restricted_machine_is_recognised_by_bayes_rule():
    """p(label | v) is the share of that label in the sum over hidden states."""
    network = machine([6, 5])
    v = torch.rand(20, 6, generator=torch.Generator().manual_seed(0)).round()
    joint = torch.stack([network.log_weights([v, v, torch.eye(2)[[k]].expand(20, -1)], (1,))[:, 0] for k in (0, 1)], dim=1)
    balance(network, 100, 80)  # which must not matter to what is recognised
    assert torch.allclose((network.label_logits(v) + network.telling).log_softmax(1), joint.log_softmax(1), atol=1e-4)


def test_all_labels_at_once_are_each_label_in_turn():
    network = machine([6, 5])
    balance(network, 100, 80)
    v = torch.rand(20, 6, generator=torch.Generator().manual_seed(0)).round()
    each = [network.log_weights([v, v, torch.eye(2)[[k]].expand(20, -1)], (1,))[:, 0] for k in (0, 1)]
    assert torch.allclose(network.log_by_label(v), torch.stack(each, dim=1), atol=1e-4)
    mean = log_marginal(network, v, torch.full((20,), 2), 1, Noise(range(20)))
    assert torch.allclose(mean.exp(), sum(log_given(network, v, torch.full((20,), k), 1, Noise(range(20))).exp() for k in (0, 1)) / 2)


def test_bits_go_there_and_back():
    x = PLANE.from_levels(torch.arange(32)[:, None].expand(-1, 2), 32)
    code = Bits(PLANE).of(x)
    assert torch.allclose(Bits(PLANE).back(code), x)
    assert ((code[1:] - code[:-1]).abs().sum(1) == 2).all()  # neighbours differ in one bit a coordinate
    grey = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Bits(TINY).back(Bits(TINY).of(grey)), (grey > 0.5).float())


def test_temperature_zero_settles_and_a_hot_chain_does_not(toys):
    model, _ = toys.get("rbm", "pixels")
    cold, warm = (model.sample(Noise(range(40)), torch.zeros(40, dtype=torch.long), model.Settings(temperature=t)) for t in (0.0, 1.0))
    assert ((cold < 0.01) | (cold > 0.99)).all()
    assert ((warm > 0.01) & (warm < 0.99)).any()


def test_a_clamped_chain_infers_the_label_from_what_is_seen(toys):
    """Three rows of a bright row or column say which it is."""
    model, _ = toys.get("rbm", "pixels")
    x = torch.zeros(1, 1, 4, 4)
    x[..., 0, :] = 1
    mask = torch.ones(1, 4, 4, dtype=torch.bool)
    mask[:, 3] = False
    labels = []

    def watch(layer, drawn):
        return torch.where(mask.view(1, -1), x.view(1, -1), drawn) if layer == 0 else drawn

    for moment in dream(model.network, Noise(range(100)), units_of(model.labels(None, 100), 2), model.Settings(), watch):
        labels = moment.states[-1]
    assert labels[:, 0].mean() > 0.9
    answer = list(model.restore(Hide(mask)(x).expand(100, -1, -1, -1), Hide(mask), Noise(range(100))))[-1].x
    assert answer[:, 0, 3].mean() < 0.2


def test_the_belief_network_learns_in_turns():
    """First the features alone; then what is above, with recognition tied to them; then all."""
    model = DeepBelief(Belief(16, 8, 8, classes=2), TINY, classes=2, telling=1.0)
    x, y = torch.rand(64, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 2

    assert model.learning == ALL
    first = learned(model, 0.0)
    assert model.learning == FIRST
    assert first == {"first.weights.0", "first.biases.0", "first.biases.1"}
    with torch.no_grad():
        model.network.first.weights[0] += 0.5
    above = learned(model, 0.5)
    assert above
    assert all(name.startswith("above.") for name in above)
    assert torch.equal(model.network.upward, model.network.first.weights[0])
    assert learned(model, 0.9) == {name for name, _ in model.network.named_parameters()}
    again = DeepBelief(Belief(16, 8, 8, classes=2), TINY, classes=2)  # a run that is taken up between two turns
    again.network.first.load_state_dict(model.network.first.state_dict())
    again.age(0.5)
    again.loss(x, y)
    assert torch.equal(again.network.upward, model.network.first.weights[0])


def test_a_belief_network_bounds_the_sum_over_its_features(toys):
    """Of a tiny one all can be added up: log p(v | label) = log sum_h p(v | h) p(h | label)."""
    torch.manual_seed(0)
    space = Pixels(1, 2)
    model = DeepBelief(Belief(4, 3, 3, classes=2), space, classes=2).requires_grad_(False)
    for p in model.parameters():
        p += 0.5 * torch.randn_like(p)
    model.finish(None, None)
    v = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
    h = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)))
    label = torch.ones(1, dtype=torch.long)
    above = log_given(model.network.above, h, label.expand(8), 1, Noise([0] * 8))
    says = torch.distributions.Bernoulli(model.network.pictures(h)).log_prob(v[:, None]).sum(2)
    truth = (says + above).logsumexp(1)
    bound = model.log_prob(v.view(-1, 1, 2, 2), label.expand(16), draws=2000)
    assert torch.allclose(bound, truth, atol=0.15)
    few = model.log_prob(v.view(-1, 1, 2, 2), label.expand(16), draws=1)
    assert few.mean() < truth.mean()


@pytest.mark.parametrize("kind", ["rbm", "dbm"])
def test_labels_are_recognised_by_bayes_rule(toys, kind):
    model, _ = toys.get(kind, "pixels")
    x, y = toy_data(TINY)
    share = model.recognise(x[:200])
    assert torch.allclose(share.sum(1), torch.ones(200), atol=1e-5)
    assert (share.argmax(1) == y[:200]).float().mean() > 0.9


def test_a_machine_that_draws_in_black_and_white_says_so():
    assert BoltzmannMachine.binary
    assert DeepBelief.binary
    assert BoltzmannMachine(Layers([16, 4, 4], 2), TINY, 2).evidence == "lower bound"
    assert BoltzmannMachine(Layers([16, 4], 2), TINY, 2).evidence == "estimate"


def test_a_growing_network_keeps_what_it_was():
    """Each kept machine is that of its moment; what held still in between is one and the same; every moment can be drawn from."""
    torch.manual_seed(0)
    network = Belief(16, 12, 10, classes=2)
    model = GrowingBelief(network, TINY, firsts=(0.0, 0.3), aboves=(0.4, 0.65), classes=2)
    x, y = toy_data(TINY)
    model.observe((x * 255).round().to(torch.uint8))
    start = network.first.weights[0].clone()
    for _ in train(model, x, y, steps=100, batch=64, rate=0.5, ema=0.0, optimizer="sgd"):
        pass
    young, grown = (model.firsts[at].weights[0] for at in (0, 1))
    assert torch.equal(young, start)
    assert not torch.equal(grown, young)
    assert torch.equal(model.stage(2).network.first.weights[0], grown)  # the features hold still while what is above them learns
    assert torch.equal(model.stage(2).network.upward, grown)
    assert not torch.equal(model.aboves[0].weights[0], model.aboves[1].weights[0])
    assert not torch.equal(network.first.weights[0], grown)  # and are tuned in the end
    assert model.stage(4) is model
    for index in range(5):
        stage = model.stage(index).eval()
        assert stage.classes == (0 if index < 2 else 2)
        TINY.check(stage.sample(Noise([1, 2]), torch.tensor([0, 1]) if stage.classes else None))
        assert model.filters(index).shape == (12, 16)
    with pytest.raises(ValueError, match="expected shares in order"):
        GrowingBelief(network, TINY, firsts=(0.2,), aboves=(0.6,), classes=2)
