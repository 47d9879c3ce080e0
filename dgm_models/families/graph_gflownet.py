"""A generative flow network that builds molecules atom by atom, in proportion to a reward (Bengio et al., 2021).

From nothing on, an action hangs an atom on another one, closes a ring, or ends. Many ways lead to one molecule, and equal atoms make equal
actions; a graph and its mirror are one state. Summed over all of that, trajectory balance (Malkin et al., 2022, eq. 14) is that of single
ways, with the reward of a molecule times the number of its symmetries (Ma et al., 2024): each step that breaks a symmetry can be done in as
many ways more as it can be undone in fewer.

A molecule is here what its bonds say; one of the few that can be written with two sets of double bonds counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm_models.conditions import Numbers
from dgm_models.contracts import Family, Frame, Noise, Settings, knob
from dgm_models.modalities import graph
from dgm_models.modalities.molecule import goals
from dgm_models.networks.graph import GraphPolicy
from dgm_models.probability import draw, log_mean_exp, sharpen
from dgm_models.spaces import Graphs

SHARP = 12.0  # nats of reward that a goal is worth from one end to the other, wished for as much as can be
RINGS = 3
APART = ({"O"}, {"F"}, {"O", "F"}, {"N", "F"})  # elements that are not bound to each other
FAR, LOUD = 10.0, 10.0  # nats: of imbalance, beyond which one way shall not outweigh all others; the unit in which log Z is learned
ASTRAY = 0.05  # of the actions that are tried, those that anybody would take


@dataclass(frozen=True)
class GraphSettings(Settings):
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="what the log-odds of each action are divided by")


@dataclass
class Ways:
    """Ways to graphs: each state on them with its action, (m, ..), and the way that it is of, (m,); of each the log-chance of going back
    along it, (n,)."""

    elements: Tensor
    bonds: Tensor
    actions: Tensor
    of: Tensor
    back: Tensor


class GraphGFlowNet(Family):
    """The network is the forward policy; y is the weight of each goal, in [-1, 1]: log R = SHARP * sum of weight times goal."""

    Settings = GraphSettings
    evidence = "estimate"

    def __init__(self, network: GraphPolicy, space: Graphs, condition: Numbers, drop: float = 0.1) -> None:
        super().__init__()
        self.network, self.space, self.condition, self.drop = network, space, condition, drop
        self.longest = space.atoms + RINGS + 1
        apart = [[{one, other} in APART for other in space.elements] for one in space.elements]
        self.register_buffer("apart", torch.tensor(apart), persistent=False)
        self.register_buffer("valences", torch.tensor((0, *space.valences)), persistent=False)

    # the graph of graphs ----------------------------------------------------------------------------------------------

    def allowed(self, elements: Tensor, bonds: Tensor) -> Tensor:
        """Which actions a graph may take, bool (n, actions): an end; a first atom; an atom on another one; a ring closed.

        What is forbidden stays so when an atom or a ring is taken away again, so that every way back is one forth: more bonds than an atom
        takes, two multiple bonds at an atom, triple bonds in rings, more than RINGS rings, elements APART.
        """
        n, atoms, kinds = len(elements), self.space.atoms, self.space.bonds
        there, count = elements > 0, (elements > 0).sum(1)
        free, multiple = self.valences[elements] - bonds.sum(2), (bonds > 1).any(2)
        order = torch.arange(1, kinds + 1, device=elements.device)
        fits = (free[..., None] >= order) & ((order == 1) | ~multiple[..., None]) & there[..., None]  # (n, atoms, kinds)
        takes = self.valences[1:, None] >= order  # (elements, kinds)
        strange = self.apart[(elements - 1).clamp_min(0)]  # (n, atoms, elements)
        grow = fits[:, :, None] & takes & ~strange[..., None] & (count < atoms)[:, None, None, None]
        one, other = self.network.pairs
        joined = _connected((bonds > 0) & (bonds < 3))
        may = joined[:, one, other] & (bonds[:, one, other] == 0) & there[:, one] & there[:, other]
        may &= (_rings(elements, bonds) < RINGS)[:, None]
        may &= ~strange[:, one].gather(2, (elements[:, other] - 1).clamp_min(0)[..., None])[..., 0]
        close = fits[:, one] & fits[:, other] & may[..., None] & (order < 3)
        first = (count == 0)[:, None].expand(n, len(self.space.elements))
        return torch.cat([(count > 0)[:, None], first, grow.flatten(1), close.flatten(1)], 1)

    def builds(self, x: Tensor) -> Tensor:
        """Which graphs, molecules all, can be built, bool (n,)."""
        elements, bonds = self.space.split(x)
        kind = (elements - 1).clamp_min(0)
        strange = (self.apart[kind[:, :, None], kind[:, None]] & (bonds > 0)).any((1, 2))
        twice = ((bonds > 1).sum(2) > 1).any(1)
        looped = ((bonds == 3) & _connected((bonds > 0) & (bonds < 3))).any((1, 2))
        return ~(strange | twice | looped) & (_rings(elements, bonds) <= RINGS)

    def after(self, elements: Tensor, bonds: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """The graphs that actions make, (n, atoms) and (n, atoms, atoms); an end changes nothing."""
        elements, bonds, rows = elements.clone(), bonds.clone(), torch.arange(len(elements), device=elements.device)
        kinds, many = self.space.bonds, len(self.space.elements)
        first = (action >= 1) & (action <= many)
        elements[first, 0] = action[first]
        at = action - 1 - many
        grows = (at >= 0) & (at < self.space.atoms * many * kinds)
        row, place, last = rows[grows], at[grows], (elements > 0).sum(1)[grows]
        on, element, order = place // (many * kinds), place // kinds % many, place % kinds + 1
        elements[row, last] = element + 1
        bonds[row, on, last] = bonds[row, last, on] = order
        at = at - self.space.atoms * many * kinds
        closes = at >= 0
        row, place = rows[closes], at[closes]
        one, other = self.network.pairs[:, place // kinds]
        bonds[row, one, other] = bonds[row, other, one] = place % kinds + 1
        return elements, bonds

    def undone(self, elements: Tensor, bonds: Tensor) -> Tensor:
        """What may be taken away: atoms that hang on at most one other, and bonds of rings, bool (n, atoms + pairs)."""
        there, linked = elements > 0, bonds > 0
        leaf = there & ((linked.sum(2) == 1) | (there.sum(1) == 1)[:, None])
        one, other = self.network.pairs
        n, pairs = len(elements), len(one)
        without = linked[:, None].expand(n, pairs, *linked.shape[1:]).clone()
        place = torch.arange(pairs, device=elements.device)
        without[:, place, one, other] = without[:, place, other, one] = False
        still = _connected(without.flatten(0, 1)).view_as(without)[:, place, one, other]
        return torch.cat([leaf, still & linked[:, one, other]], 1)

    def before(self, elements: Tensor, bonds: Tensor, away: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The graphs without what is taken away, as `undone` numbers it, and the actions that bring it back."""
        n, rows = len(elements), torch.arange(len(elements), device=elements.device)
        elements, bonds, action = elements.clone(), bonds.clone(), torch.zeros_like(away)
        kinds, many, atoms = self.space.bonds, len(self.space.elements), self.space.atoms
        rings = away >= atoms
        row, pair = rows[rings], away[rings] - atoms
        one, other = self.network.pairs[:, pair]
        action[row] = 1 + many + atoms * many * kinds + pair * kinds + bonds[row, one, other] - 1
        bonds[row, one, other] = bonds[row, other, one] = 0
        # an atom changes places with the last one first
        last, gone = (elements > 0).sum(1) - 1, torch.where(rings, (elements > 0).sum(1) - 1, away)
        order = torch.arange(atoms, device=elements.device).repeat(n, 1)
        order[rows, gone], order[rows, last] = last, gone
        elements = elements.gather(1, order)
        bonds = bonds.gather(1, order[..., None].expand_as(bonds)).gather(2, order[:, None].expand_as(bonds))
        row, end = rows[~rings], last[~rings]
        on = bonds[row, end].argmax(1)
        hung = 1 + many + on * many * kinds + (elements[row, end] - 1) * kinds + bonds[row, end, on] - 1
        action[row] = torch.where(end == 0, elements[row, end], hung)
        elements[row, end] = 0
        bonds[row, end] = 0
        bonds[row, :, end] = 0
        return elements, bonds, action

    # balance ----------------------------------------------------------------------------------------------------------

    def log_policy(self, elements: Tensor, bonds: Tensor, given: Tensor) -> Tensor:
        """log P_F of every action, -inf for those that are not allowed, (n, actions)."""
        end, grow, first, close = self.network(elements, bonds, given)
        logits = torch.cat([end, first, grow.flatten(1), close.flatten(1)], 1).float()
        return logits.masked_fill(~self.allowed(elements, bonds), -torch.inf).log_softmax(1)

    def log_z(self, given: Tensor) -> Tensor:
        """As learned, (n,) nats."""
        return LOUD * self.network.total(given)[:, 0].float()

    def log_reward(self, given: Tensor, reached: Tensor) -> Tensor:
        """Of what is wished for, (n, goals + 1), and of what a molecule has of each goal, (n, goals): (n,) nats."""
        return SHARP * (given[:, :-1] * reached).sum(1)

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Squared imbalance, beyond FAR nats in proportion to it, of ways to parts of the data, as far as they can be built, and of as many
        that the policy goes; y: what the data have of each goal. Wishes are drawn anew.

        The policy itself seldom ends at a small molecule: parts of larger ones teach it how seldom; and every other row is no part of the
        data but where one gets by actions of any kind, for small rings are parts of few."""
        can = self.builds(x)
        x, y = x[can], x.new_zeros(len(x), len(self.condition.names), dtype=torch.float32)[can] if y is None else y.float()[can]
        wish = (2 * torch.rand(2 * len(x), y.shape[1], device=x.device) - 1) * (torch.rand(2 * len(x), y.shape[1], device=x.device) < 0.5)
        given = self.condition.drop(self.condition.check(wish, len(wish)), self.drop)
        with torch.no_grad():
            whole, x = x, self.part_of(x)
            x[1::2] = self.wander(len(x), x.device)[1::2]
            changed = (whole != x).any(1)
            if changed.any():
                y[changed] = self._reached(x[changed])
            ways, made = self.forth(given[len(x) :])
            back = self.back(x, torch.rand(len(x), self.longest, device=x.device))
            ends = torch.cat([x, made])
            reached = torch.cat([y, self._reached(made)])
            alike = self._log_symmetries(ends)
        target = self.log_reward(given, reached) + alike + torch.cat([back.back, ways.back])
        both = Ways(
            torch.cat([back.elements, ways.elements]),
            torch.cat([back.bonds, ways.bonds]),
            torch.cat([back.actions, ways.actions]),
            torch.cat([back.of, ways.of + len(x)]),
            target,
        )
        return F.huber_loss(self.log_z(given) + self.log_forth(both, given), target, delta=FAR)

    def _reached(self, x: Tensor) -> Tensor:
        """What graphs have of each goal, (n, goals)."""
        return torch.tensor([goals(text) for text in graph.write(self.space, x)], device=x.device)

    def _log_symmetries(self, x: Tensor) -> Tensor:
        return torch.tensor([graph.symmetries(self.space, row) for row in x], device=x.device).float().log()

    def part_of(self, x: Tensor) -> Tensor:
        """Of each graph what it was so many steps ago, from none to all but one, by torch's own stream."""
        elements, bonds = self.space.split(x.clone())
        left = (torch.rand(len(x), device=x.device) * ((elements > 0).sum(1) + _rings(elements, bonds))).long()
        while bool((left > 0).any()):
            on = left > 0
            away = torch.multinomial(self.undone(elements[on], bonds[on]).float(), 1)[:, 0]
            elements[on], bonds[on], _ = self.before(elements[on], bonds[on], away)
            left = left - 1
        return self.space.join(elements, bonds)

    def wander(self, n: int, device: torch.device) -> Tensor:
        """Graphs of all sizes, by chains of actions that grow and that close a ring as often, where both can be, by torch's own stream."""
        x = torch.zeros(n, *self.space.shape, dtype=torch.long, device=device)
        left = 1 + (torch.rand(n, device=device) * (self.longest - 1)).long()
        starts = 1, 1 + len(self.space.elements), 1 + len(self.space.elements) * (1 + self.space.atoms * self.space.bonds)
        while bool((left > 0).any()):
            on = (left > 0).nonzero()[:, 0]
            elements, bonds = self.space.split(x[on])
            share = self.allowed(elements, bonds).float()
            share[:, 0] = 0
            for start, stop in zip(starts, (*starts[1:], share.shape[1]), strict=True):
                share[:, start:stop] /= share[:, start:stop].sum(1, keepdim=True).clamp_min(1)
            can = share.sum(1) > 0
            action = torch.multinomial(torch.where(can[:, None], share, 1.0), 1)[:, 0].masked_fill(~can, 0)
            x[on] = self.space.join(*self.after(elements, bonds, action))
            left = left - 1
        return x

    def log_forth(self, ways: Ways, given: Tensor) -> Tensor:
        """log P_F of each way, (n,)."""
        chosen = self.log_policy(ways.elements, ways.bonds, given[ways.of]).gather(1, ways.actions[:, None])[:, 0]
        return torch.zeros(len(given), device=chosen.device).index_add(0, ways.of, chosen)

    def back(self, x: Tensor, chance: Tensor) -> Ways:
        """A way to each of some graphs, gone back from it by even numbers `chance`, (n, longest)."""
        elements, bonds = self.space.split(x)
        of = torch.arange(len(x), device=x.device)
        parts, log_back = [(elements, bonds, torch.zeros_like(of), of)], torch.zeros(len(x), device=x.device)
        for step in range(self.longest - 1):
            open_to = self.undone(elements, bonds)
            away = draw(open_to / open_to.sum(1, keepdim=True), chance[of, step])
            log_back[of] -= open_to.sum(1).float().log()
            elements, bonds, action = self.before(elements, bonds, away)
            parts.append((elements, bonds, action, of))
            left = (elements > 0).any(1)
            elements, bonds, of = elements[left], bonds[left], of[left]
            if not len(of):
                break
        return Ways(*(torch.cat(part) for part in zip(*parts, strict=True)), log_back)

    def forth(self, given: Tensor) -> tuple[Ways, Tensor]:
        """A way for each wish as the policy goes, now and then astray, by torch's own stream; and where it leads."""
        n, parts = len(given), []
        of, log_back = torch.arange(n, device=given.device), torch.zeros(n, device=given.device)
        ends = torch.zeros(n, *self.space.shape, dtype=torch.long, device=given.device)
        elements, bonds = self.space.split(ends.clone())
        while len(of):
            chances = self.log_policy(elements, bonds, given[of]).exp()
            may = (chances > 0).float()
            action = torch.multinomial((1 - ASTRAY) * chances + ASTRAY * may / may.sum(1, keepdim=True), 1)[:, 0]
            parts.append((elements, bonds, action, of))
            over = action == 0
            ends[of[over]] = self.space.join(elements[over], bonds[over])
            elements, bonds = self.after(elements[~over], bonds[~over], action[~over])
            of = of[~over]
            if len(of):
                log_back[of] -= self.undone(elements, bonds).sum(1).float().log()
        return Ways(*(torch.cat(part) for part in zip(*parts, strict=True)), log_back), ends

    # sampling ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: GraphSettings | None = None) -> Iterator[Frame]:
        """Action by action, until all have ended."""
        settings, given = settings or self.Settings(), self.labels(y, len(noise))
        chance, over = noise.uniform(self.longest), torch.zeros(len(noise), dtype=torch.bool)
        x = torch.zeros(len(noise), *self.space.shape, dtype=torch.long)
        yield Frame(x, "nothing yet")
        for step in range(self.longest):
            elements, bonds = self.space.split(x)
            action = draw(sharpen(self.log_policy(elements, bonds, given), settings.temperature, 1.0), chance[:, step])
            over |= action == 0
            grown = self.space.join(*self.after(elements, bonds, action))
            x = torch.where(over[:, None], x, grown)
            if bool(over.all()):
                break
            yield Frame(x, f"{step + 1} action{'s' if step else ''}, {int(over.sum())} of {len(over)} have ended")
        yield Frame(x, "all have ended")

    # questions --------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def log_prob(self, x: Tensor, y: Tensor | None = None, k: int = 16) -> Tensor:
        """log p(x | y) in nats, (n,), from k ways back of each: the mean of P_F / P_B is exact, its log on average a little low. -inf for
        what cannot be built, which is no molecule, or in pieces, or forbidden. ValueError unless k is 1 to 1000."""
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= 1000:
            raise ValueError(f"k: expected 1 to 1000 ways, got {k!r}")
        self.space.check(x)
        chance, given = Noise.of(x).uniform(k, self.longest), self.labels(y, len(x))
        can = self.builds(x) & torch.tensor([bool(text) for text in graph.write(self.space, x)])
        x, given, chance, answer = x[can], given[can], chance[can], torch.full((len(x),), -torch.inf)
        if len(x):
            ways = [self.back(x, chance[:, i]) for i in range(k)]
            found = torch.stack([self.log_forth(each, given) - each.back for each in ways])
            alike = self._log_symmetries(x)
            answer[can] = log_mean_exp(found, dim=0) - alike
        return answer


def _rings(elements: Tensor, bonds: Tensor) -> Tensor:
    """How many bonds a graph in one piece has more than it takes to hold it together, (n,)."""
    return (bonds > 0).sum((1, 2)) // 2 - (elements > 0).sum(1) + 1


def _connected(linked: Tensor) -> Tensor:
    """Which atoms can be reached from which, bool (n, atoms, atoms) -> the same."""
    reached = linked.float() + torch.eye(linked.shape[1], device=linked.device)
    for _ in range(max(1, (linked.shape[1] - 1).bit_length())):
        reached = (reached @ reached).clamp_max(1)
    return reached > 0
