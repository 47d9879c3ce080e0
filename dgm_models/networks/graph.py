"""Networks of small graphs that do not mind the order of atoms: messages along bonds, one a kind of bond (Schlichtkrull et al., 2018),
and beside them what is true of the whole graph (Gilmer et al., 2017)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FAR = 5  # bonds between two atoms, from which on they are as far as can be told


class Messages(nn.Module):
    """Atoms (n, atoms, width) hear of their neighbours, by kind of bond, and of the mean of all."""

    def __init__(self, width: int, kinds: int) -> None:
        super().__init__()
        self.heard = nn.Linear(width, kinds * width, bias=False)
        self.mix, self.out = nn.Linear(3 * width, width), nn.Linear(width, width)

    def forward(self, h: Tensor, there: Tensor, bonds: Tensor) -> Tensor:
        """there: (n, atoms) in [0, 1]; bonds: (n, atoms, atoms, kinds) in [0, 1]."""
        told = self.heard(h).unflatten(2, (bonds.shape[3], -1))
        near = torch.einsum("nijk,njkw->niw", bonds, told)
        whole = (h * there[..., None]).sum(1) / there.sum(1, keepdim=True).clamp_min(1)
        mixed = self.mix(torch.cat([h, near, whole[:, None].expand_as(h)], 2))
        return F.layer_norm(h + self.out(F.silu(mixed)), h.shape[2:])


class GraphReader(nn.Module):
    """What atoms and whole graphs are like. elements: (n, atoms, elements and none), bonds: (n, atoms, atoms, kinds and none), each row
    shares of all kinds, so that graphs which are not settled may be read and learned from; given: (n, given), what else is known."""

    def __init__(self, elements: int, kinds: int, width: int, depth: int, given: int = 0) -> None:
        super().__init__()
        self.enter = nn.Linear(elements - 1, width, bias=False)
        self.given = nn.Linear(given, width) if given else None
        self.layers = nn.ModuleList(Messages(width, kinds - 1) for _ in range(depth))

    def forward(self, elements: Tensor, bonds: Tensor, given: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Atoms (n, atoms, width), and which of them are there, (n, atoms)."""
        there = elements[..., 1:].sum(2)
        h = self.enter(elements[..., 1:])
        if self.given is not None:
            h = h + self.given(given)[:, None]
        for layer in self.layers:
            h = layer(h, there, bonds[..., 1:])
        return h, there


class GraphScore(nn.Module):
    """Numbers of whole graphs: (n, atoms, ..), (n, atoms, atoms, ..) -> (n, out)."""

    def __init__(self, elements: int, kinds: int, out: int, width: int = 64, depth: int = 3) -> None:
        super().__init__()
        self.reader = GraphReader(elements, kinds, width, depth)
        self.gate, self.tell = nn.Linear(width, width), nn.Linear(width, width)
        self.inner, self.leave = nn.Linear(width, width), nn.Linear(width, out)

    def forward(self, elements: Tensor, bonds: Tensor) -> Tensor:
        h, there = self.reader(elements, bonds)
        heard = (self.gate(h).sigmoid() * self.tell(h) * there[..., None]).sum(1)
        return self.leave(F.silu(self.inner(F.silu(heard))))


class GraphGenerator(nn.Module):
    """Codes (n, latent), what is given (n, given) -> logits of elements (n, atoms, elements and none) and of bonds, alike for both ways
    round, (n, atoms, atoms, kinds and none): the whole graph at once (De Cao and Kipf, 2018)."""

    def __init__(self, latent: int, given: int, atoms: int, elements: int, kinds: int, width: int = 256) -> None:
        super().__init__()
        self.atoms, self.elements, self.kinds = atoms, elements, kinds
        self.body = nn.Sequential(
            nn.Linear(latent + given, width // 2), nn.SiLU(), nn.Linear(width // 2, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.to_elements, self.to_bonds = nn.Linear(width, atoms * elements), nn.Linear(width, atoms * atoms * kinds)

    def forward(self, z: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(torch.cat([z, given], 1))
        bonds = self.to_bonds(h).view(-1, self.atoms, self.atoms, self.kinds)
        return self.to_elements(h).view(-1, self.atoms, self.elements), (bonds + bonds.transpose(1, 2)) / 2


class MolecularGame(nn.Module):
    """A generator of graphs, a critic that tells them from real ones, and a network that foretells their rewards."""

    def __init__(
        self,
        atoms: int,
        elements: int,
        kinds: int,
        given: int,
        rewards: int,
        latent: int = 32,
        width: int = 256,
        critic_width: int = 64,
    ) -> None:
        super().__init__()
        self.latent = latent
        self.generator = GraphGenerator(latent, given, atoms, elements, kinds, width)
        self.critic = GraphScore(elements, kinds, 1, critic_width)
        self.reward = GraphScore(elements, kinds, rewards, critic_width)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        return (self.generator,)


class GraphPolicy(nn.Module):
    """What to do next with a graph: logits of an end (n, 1), of an atom that hangs on another one (n, atoms, elements, bonds), of the first
    atom (n, elements), and of a ring closed between two atoms (n, pairs, bonds). And log Z of what is wished for."""

    def __init__(self, atoms: int, elements: int, kinds: int, given: int, width: int = 96, depth: int = 4) -> None:
        """elements and kinds: with "none" among them."""
        super().__init__()
        self.atoms, self.elements, self.kinds = atoms, elements, kinds
        self.reader = GraphReader(elements, kinds, width, depth, given)
        self.grow, self.first = nn.Linear(width, (elements - 1) * (kinds - 1)), nn.Linear(given, elements - 1)
        self.end, self.ended = nn.Linear(2 * width, width), nn.Linear(width, 1)
        self.pair, self.apart, self.closed = nn.Linear(2 * width, width), nn.Embedding(FAR + 1, width), nn.Linear(width, kinds - 1)
        self.total = nn.Sequential(nn.Linear(given, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))
        self.register_buffer("pairs", torch.triu_indices(atoms, atoms, 1), persistent=False)
        for last in (self.grow, self.first, self.ended, self.closed):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        return (self.ended,)

    def forward(self, elements: Tensor, bonds: Tensor, given: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """elements (n, atoms) and bonds (n, atoms, atoms), as numbers."""
        told = F.one_hot(elements, self.elements).to(given.dtype), F.one_hot(bonds, self.kinds).to(given.dtype)
        h, there = self.reader(*told, given)
        whole, size = (h * there[..., None]).sum(1), there.sum(1, keepdim=True)
        end = self.ended(F.silu(self.end(torch.cat([whole / size.clamp_min(1), whole / self.atoms], 1))))
        grow = self.grow(h).unflatten(2, (self.elements - 1, self.kinds - 1))
        one, other = h[:, self.pairs[0]], h[:, self.pairs[1]]
        away = distances(bonds > 0)[:, self.pairs[0], self.pairs[1]]
        close = self.closed(F.silu(self.pair(torch.cat([one + other, one * other], 2)) + self.apart(away)))
        return end, grow, self.first(given), close


def distances(bonds: Tensor) -> Tensor:
    """Bonds between each two atoms, FAR where there are as many, more, or none: bool (n, atoms, atoms) -> int64."""
    same = torch.eye(bonds.shape[1], device=bonds.device)
    step, away = bonds.float() + same, torch.full(bonds.shape, FAR, device=bonds.device)
    reached = same.expand_as(step)
    for count in range(FAR):
        away = torch.where((reached > 0) & (away == FAR), count, away)
        reached = ((reached @ step) > 0).float()
    return away
